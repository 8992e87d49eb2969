/**
 * What registration takes, in one process: certificates of `tstack cert`, the API of a broker on its socket, and treg, which
 * listens on a free port of 127.0.0.1. Programs run as functions.
 */
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { type AdminListener, createAdminApi, listenAdmin } from "../../src/admin/index.ts";
import {
  hashPassword,
  makeScramKeys,
  Registrations,
  UserAdministration,
  UserDirectory,
} from "../../src/auth/index.ts";
import { silentLog, systemClock } from "../../src/base/index.ts";
import { run as runCert } from "../../src/cli/cert/cert.ts";
import type { Program, ProgramIo } from "../../src/cli/program-io.ts";
import { run as runTreg } from "../../src/cli/treg.ts";
import { MemoryStorage } from "../../src/storage/index.ts";
import type { RunResult } from "./memory-io.ts";

interface Given {
  readonly stdin?: string;
  readonly environment?: ProgramIo["environment"];
  /** What is typed on the terminal; without it there is none. */
  readonly typed?: string;
}

function openIo({ stdin, environment = {}, typed }: Given = {}) {
  const interrupted = Promise.withResolvers<() => void>();
  const io = {
    stdin: new PassThrough().end(stdin ?? ""),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    environment,
    onInterrupt(callback: (signal: "SIGTERM") => void) {
      interrupted.resolve(() => callback("SIGTERM"));
      return () => undefined;
    },
    askSecret: async () => {
      if (typed === undefined) throw new Error("no terminal");
      return typed;
    },
  };
  return { io, interrupt: async () => (await interrupted.promise)() };
}

const readAll = (stream: PassThrough) => (stream.read() as Buffer | null)?.toString() ?? "";

export async function runProgram(
  program: Program,
  args: readonly string[],
  given?: Given,
): Promise<RunResult> {
  const { io } = openIo(given);
  const code = await program(args, io);
  return { code, stdout: readAll(io.stdout), stderr: readAll(io.stderr) };
}

/** treg, until it is stopped. */
export class RunningTreg {
  readonly url: string;
  readonly #io: ReturnType<typeof openIo>;
  readonly #ended: Promise<number>;
  #stdout = "";
  #stderr = "";

  private constructor(io: ReturnType<typeof openIo>, url: string, ended: Promise<number>) {
    this.#io = io;
    this.url = url;
    this.#ended = ended;
  }

  static async start(args: readonly string[]): Promise<RunningTreg> {
    const io = openIo();
    const ended = runTreg(args, io.io);
    let said = "";
    const url = await new Promise<string>((resolve, reject) => {
      io.io.stderr.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        const found = /listens on (\S+)/.exec(said)?.[1];
        if (found !== undefined) resolve(found);
      });
      ended.then(() => reject(new Error(`treg has ended: ${said}`)), reject);
    });
    const treg = new RunningTreg(io, url, ended);
    treg.#stderr = said;
    io.io.stderr.on("data", (chunk: Buffer) => {
      treg.#stderr += chunk.toString();
    });
    return treg;
  }

  /** Lines of the audit so far. */
  audit(): Record<string, unknown>[] {
    this.#stdout += readAll(this.#io.io.stdout);
    return this.#stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  get stderr(): string {
    return this.#stderr;
  }

  async saw(text: string): Promise<void> {
    while (!this.#stderr.includes(text)) {
      await new Promise((resolve) => this.#io.io.stderr.once("data", resolve));
    }
  }

  async stop(): Promise<number> {
    await this.#io.interrupt();
    return this.#ended;
  }
}

export class RegistrationWorld {
  readonly folder: string;
  readonly directory: UserDirectory;
  readonly registrations: Registrations;
  readonly #listener: AdminListener;

  private constructor(
    folder: string,
    directory: UserDirectory,
    registrations: Registrations,
    listener: AdminListener,
  ) {
    this.folder = folder;
    this.directory = directory;
    this.registrations = registrations;
    this.#listener = listener;
  }

  /** A broker's API and certificates for localhost. */
  static async open(): Promise<RegistrationWorld> {
    const folder = await mkdtemp(path.join(tmpdir(), "treg-"));
    const out = ["--out", path.join(folder, "certs")];
    await runProgram(runCert, ["ca", ...out]);
    await runProgram(runCert, ["server", "--host", "localhost", "--host", "127.0.0.1", ...out]);
    const records = new MemoryStorage();
    const directory = new UserDirectory({ configured: [], records: [] });
    const clock = systemClock;
    const users = new UserAdministration(directory, records, {
      clock,
      hashPassword,
      makeScramKeys,
    });
    const registrations = new Registrations({ users, records, stored: [], clock });
    const api = await createAdminApi({ users, registrations, version: "0", log: silentLog });
    const data = path.join(folder, "data");
    await mkdir(data, { mode: 0o700 });
    const listener = await listenAdmin(api, data);
    return new RegistrationWorld(folder, directory, registrations, listener);
  }

  /** The broker's folder. */
  get data(): string {
    return this.file("data");
  }

  file(name: string): string {
    return path.join(this.folder, name);
  }

  certificate(name: string): string {
    return readFileSync(this.file(`certs/${name}.crt`), "utf8");
  }

  startTreg(...more: readonly string[]): Promise<RunningTreg> {
    const files = ["--cert", this.file("certs/server.crt"), "--key", this.file("certs/server.key")];
    const isPlain = more.includes("--listen");
    return RunningTreg.start([
      ...["--data", this.data, "--broker", "mqtts://localhost:8883"],
      ...["--cafile", this.file("certs/ca.crt")],
      ...(isPlain ? [] : ["--listen", "https://127.0.0.1:0", ...files]),
      ...more,
    ]);
  }

  /** The API and its socket go; the folder stays. */
  stopBroker(): Promise<void> {
    return this.#listener.close();
  }

  async close(): Promise<void> {
    await this.#listener.close();
    await rm(this.folder, { recursive: true });
  }
}
