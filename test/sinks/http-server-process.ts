/**
 * A real database that answers HTTP on a port of 127.0.0.1, with its files in a folder of its own: started, killed and
 * started again with what it had.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findFreePort } from "../cli/mosquitto.ts";

export interface Program {
  readonly name: string;
  /** Where it is ready: `/ping`. */
  readonly readyPath: string;
  readonly portCount: number;
  /** Writes what it needs into the folder and answers its arguments. */
  prepare(folder: string, ports: readonly number[]): Promise<readonly string[]>;
}

const startAttempts = 5;
const startMilliseconds = 20_000;

/** `ask`: a command that ends at once. */
export function isInstalled(name: string, ask: string): boolean {
  return spawnSync(name, [ask], { timeout: 10_000 }).error === undefined;
}

export class HttpServerProcess {
  readonly url: string;
  readonly #program: Program;
  readonly #folder: string;
  readonly #args: readonly string[];
  #process: ChildProcess | undefined;

  private constructor(program: Program, folder: string, launch: Launch) {
    this.#program = program;
    this.#folder = folder;
    this.#args = launch.args;
    this.url = `http://127.0.0.1:${launch.port}`;
  }

  static async start(program: Program): Promise<HttpServerProcess> {
    const folder = await mkdtemp(path.join(tmpdir(), `${program.name}-`));
    for (let attempt = 1; ; attempt++) {
      const ports: number[] = [];
      while (ports.length < program.portCount) ports.push(await findFreePort());
      const args = await program.prepare(folder, ports);
      const server = new HttpServerProcess(program, folder, { args, port: ports[0] });
      try {
        await server.restart();
        return server;
      } catch (error) {
        // Another program may have taken one of the ports.
        if (attempt < startAttempts) continue;
        await rm(folder, { recursive: true });
        throw error;
      }
    }
  }

  /** Starts it again, on the same port and with its files. */
  async restart(): Promise<void> {
    const child = spawn(this.#program.name, this.#args, { stdio: ["ignore", "ignore", "pipe"] });
    this.#process = child;
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      said = `${said}${chunk}`.slice(-2000);
    });
    const until = Date.now() + startMilliseconds;
    while (child.exitCode === null && Date.now() < until) {
      if (await this.#isReady()) return;
      await sleep(20);
    }
    await this.kill();
    throw new Error(`${this.#program.name} does not start: ${said}`);
  }

  /** Ends it without a word, or with time to put its things in order. */
  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }

  async end(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, maxRetries: 3 });
  }

  async ask(path: string, init?: RequestInit): Promise<string> {
    const response = await fetch(`${this.url}${path}`, { keepalive: false, ...init });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return text;
  }

  async #isReady(): Promise<boolean> {
    try {
      await this.ask(this.#program.readyPath);
      return true;
    } catch {
      return false;
    }
  }
}

interface Launch {
  readonly args: readonly string[];
  readonly port: number;
}
