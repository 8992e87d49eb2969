/** tserve with small limits on a folder of its own, for a soak: where it listens, and what it has of the memory. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const program = join(import.meta.dirname, "../../../src/cli/tserve.ts");

/** Small enough that all of them are hit, but retainedBytesMax: it is memoryBytesMax that has to hold. */
const limits = {
  connectionsMax: 3000,
  connectSecondsMax: 3,
  endSecondsMax: 2,
  outboxBytesMax: 262_144,
  queueMessagesMax: 1000,
  queueBytesMax: 262_144,
  sessionsMax: 10_000,
  sessionExpirySecondsMax: 20,
  retainedBytesMax: 1_073_741_824,
} as const;

export class SoakedServer {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #folder: string;
  /** Errors of its log, the first ones. */
  readonly errors: string[];

  private constructor(child: ChildProcess, folder: string, port: number, errors: string[]) {
    this.#child = child;
    this.#folder = folder;
    this.port = port;
    this.errors = errors;
  }

  static async start(memoryBytesMax: number): Promise<SoakedServer> {
    const folder = mkdtempSync(join(tmpdir(), "soak-"));
    const all = { ...limits, memoryBytesMax };
    const lines = Object.entries(all).map(([name, value]) => `  ${name}: ${value}`);
    const config = join(folder, "tserve.yaml");
    writeFileSync(config, ["sysTopicsSeconds: 1", "limits:", ...lines, ""].join("\n"));
    const listen = ["--listen", "mqtt://127.0.0.1:0", "--log-format", "json"];
    const keep = ["--config", config, "--data", join(folder, "data"), "--durability", "os"];
    const child = spawn(process.execPath, [program, ...listen, ...keep], {
      env: { PATH: process.env.PATH },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const errors: string[] = [];
    const port = await new Promise<number>((resolve, reject) => {
      let rest = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        const all = (rest + text).split("\n");
        rest = all.pop() ?? "";
        for (const line of all) {
          const listening = /listens on mqtt:\/\/127\.0\.0\.1:(\d+)/.exec(line);
          if (listening !== null) resolve(Number(listening[1]));
          if (/"level":"?(?:error|50)/.test(line) && errors.length < 10) errors.push(line);
        }
      });
      child.once("exit", (code) => reject(new Error(`tserve ended with ${code}`)));
    });
    return new SoakedServer(child, folder, port, errors);
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resident memory, of all its threads. */
  get residentBytes(): number {
    if (!this.isRunning) return 0;
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
  }

  async stop(): Promise<void> {
    if (this.isRunning) {
      const ended = once(this.#child, "exit");
      this.#child.kill("SIGTERM");
      const late = setTimeout(() => this.#child.kill("SIGKILL"), 15_000);
      await ended;
      clearTimeout(late);
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
