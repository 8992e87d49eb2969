/**
 * A real PostgreSQL for tests: a cluster of its own in a temporary folder, on 127.0.0.1 only, that asks for passwords
 * and writes to the disk as it does for everybody. It can be killed with all its processes, and started again.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  globSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import postgres, { type Sql } from "postgres";
import { findFreePort } from "../cli/mosquitto.ts";

/** The folder of initdb and postgres, which Debian does not put on the PATH; empty where they are on it. */
const binaries = findBinaries();

/** The reason to skip, for `test(name, { skip })`; false where postgresql is installed. */
export const withoutPostgres: string | false =
  binaries === undefined ? "postgresql is not installed" : false;

const startMilliseconds = 20_000;
const password = "a secret of the tests";
/** Its processes, which do not end with it where it is killed. */
const running = new Set<PostgresServer>();

// A test that fails leaves its server behind.
process.once("exit", () => {
  for (const server of running) server.discard();
});

export class PostgresServer {
  readonly folder: string;
  readonly port: number;
  readonly #owner: { readonly uid?: number; readonly gid?: number };
  readonly #settings: readonly string[];
  #process: ChildProcess | undefined;
  #sql: Sql | undefined;

  private constructor(folder: string, port: number, settings: readonly string[]) {
    this.folder = folder;
    this.port = port;
    this.#settings = settings;
    this.#owner = findOwner();
  }

  /**
   * @param settings of its configuration: `synchronous_commit=off`
   * @param files of its folder by their names, such as server.key
   */
  static async start(
    settings: readonly string[] = [],
    files: Readonly<Record<string, Buffer>> = {},
  ): Promise<PostgresServer> {
    const folder = mkdtempSync(path.join(tmpdir(), "postgres-"));
    const server = new PostgresServer(folder, await findFreePort(), settings);
    running.add(server);
    server.#initialize();
    for (const [name, content] of Object.entries(files)) server.#write(`data/${name}`, content);
    await server.resume();
    return server;
  }

  get user(): string {
    return "postgres";
  }

  get password(): string {
    return password;
  }

  /** Without the password. */
  get url(): string {
    return `postgres://${this.user}@127.0.0.1:${this.port}/postgres`;
  }

  /** A driver of the test's own, as the superuser; it connects again after a restart. */
  get sql(): Sql {
    this.#sql ??= postgres(this.url, {
      password,
      max: 1,
      backoff: () => 0.05,
      onnotice: () => undefined,
    });
    return this.#sql;
  }

  async resume(): Promise<void> {
    const settings = [
      "listen_addresses=127.0.0.1",
      `port=${this.port}`,
      "unix_socket_directories=",
      ...this.#settings,
    ];
    const program = path.join(binaries ?? "", "postgres");
    const args = ["-D", this.#data, ...settings.flatMap((setting) => ["-c", setting])];
    // It ends with this process also where that is killed.
    const bound = ["--pdeathsig", "KILL", "--", program, ...args];
    this.#process = spawn("setpriv", bound, {
      ...this.#owner,
      cwd: this.folder,
      stdio: "ignore",
    });
    const until = Date.now() + startMilliseconds;
    while (Date.now() < until) {
      try {
        await this.sql`select 1`;
        return;
      } catch {
        await sleep(50);
      }
    }
    throw new Error(`PostgreSQL does not start in ${this.folder}`);
  }

  /** Ends it and everything that belongs to it, as a power failure does. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    this.#process = undefined;
    const exited = once(child, "exit");
    const workers = childrenOf(child.pid);
    child.kill("SIGKILL");
    await exited;
    for (const worker of workers) killIfThere(worker);
    for (const worker of workers) while (isThere(worker)) await sleep(5);
  }

  /** Ends it as a restart by an administrator does: sessions are told, and what is written is safe. */
  async stop(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    this.#process = undefined;
    const exited = once(child, "exit");
    child.kill("SIGINT");
    await exited;
  }

  /** Starts again as the standby of a primary that it never hears of. */
  async becomeStandby(): Promise<void> {
    await this.stop();
    this.#write("data/standby.signal", "");
    await this.resume();
  }

  /** Stands still: it neither answers nor closes. */
  freeze(isFrozen: boolean): void {
    const { pid } = this.#process ?? {};
    const signal = isFrozen ? "SIGSTOP" : "SIGCONT";
    for (const id of [...childrenOf(pid), pid ?? 0]) process.kill(id, signal);
  }

  async end(): Promise<void> {
    await this.#sql?.end({ timeout: 1 });
    await this.kill();
    this.discard();
  }

  /** At once, and without waiting for it. */
  discard(): void {
    running.delete(this);
    const { pid } = this.#process ?? {};
    if (pid !== undefined) for (const id of [pid, ...childrenOf(pid)]) killIfThere(id);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10 });
  }

  /** A file that its owner may read, and nobody else. */
  #write(name: string, content: string | Buffer): string {
    const file = path.join(this.folder, name);
    const { uid, gid } = this.#owner;
    writeFileSync(file, content, { mode: 0o600 });
    if (uid !== undefined && gid !== undefined) chownSync(file, uid, gid);
    return file;
  }

  get #data(): string {
    return path.join(this.folder, "data");
  }

  #initialize(): void {
    const passwordFile = this.#write("password", password);
    const { uid, gid } = this.#owner;
    if (uid !== undefined && gid !== undefined) chownSync(this.folder, uid, gid);
    chmodSync(this.folder, 0o700);
    const options = ["--no-sync", "--locale=C", "-E", "UTF8", "-A", "scram-sha-256"];
    const names = ["-D", this.#data, "-U", this.user, `--pwfile=${passwordFile}`];
    execFileSync(path.join(binaries ?? "", "initdb"), [...names, ...options], {
      ...this.#owner,
      cwd: this.folder,
      stdio: "pipe",
    });
  }
}

function findBinaries(): string | undefined {
  const versions = globSync("/usr/lib/postgresql/*/bin").sort();
  return ["", ...versions.reverse()].find(
    (folder) => spawnSync(path.join(folder, "initdb"), ["--version"]).error === undefined,
  );
}

/** PostgreSQL refuses to run as root. */
function findOwner(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const ask = (flag: string) =>
    Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: ask("-u"), gid: ask("-g") };
}

/** By /proc: a worker leads a session of its own, so that no group holds them together. */
function childrenOf(pid: number | undefined): readonly number[] {
  const names = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return names.map(Number).filter((id) => parentOf(id) === pid);
}

function parentOf(pid: number): number | undefined {
  try {
    // The name stands in parentheses, and may hold some itself.
    const [, parent] = /^.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return Number(parent);
  } catch {
    return undefined; // it is gone
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function killIfThere(pid: number): void {
  if (isThere(pid)) process.kill(pid, "SIGKILL");
}
