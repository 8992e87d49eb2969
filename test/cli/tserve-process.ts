/** Runs tserve as a process of its own on a free port of 127.0.0.1, and other people's clients against it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Ended, RunningProgram } from "./programs.ts";

const file = path.join(import.meta.dirname, "../../src/cli/tserve.ts");

/** The reason to skip, for `test(name, { skip })`; false where mosquitto's clients are installed. */
export const withoutMosquittoClients: string | false =
  spawnSync("mosquitto_sub", ["--help"]).error !== undefined && "mosquitto_sub is not installed";

type Options = ConstructorParameters<typeof RunningProgram>[2];

/** tserve with `args` as they are, until it ends. It keeps nothing unless the environment or `args` say otherwise. */
export function runServe(args: readonly string[], options: Options = {}): Promise<Ended> {
  const environment = { TSTACK_DURABILITY: "memory", ...options.environment };
  const all = { stdin: "", ...options, environment };
  return new RunningProgram(process.execPath, [file, ...args], all).ended;
}

interface StartOptions {
  /** The configuration file. */
  readonly yaml?: string;
  /** Behind `--listen mqtt://127.0.0.1:0`. */
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The folder in which it keeps its state; without, it keeps none. */
  readonly data?: string;
}

export class ServeProcess {
  readonly running: RunningProgram;
  /** The port of its first listener. */
  readonly port: number;
  readonly #folder: string | undefined;

  private constructor(running: RunningProgram, port: number, folder: string | undefined) {
    this.running = running;
    this.port = port;
    this.#folder = folder;
  }

  static async start(options: StartOptions = {}): Promise<ServeProcess> {
    const { yaml, args = [], environment, data } = options;
    const folder = yaml === undefined ? undefined : writeConfiguration(yaml);
    const config = folder === undefined ? [] : ["--config", path.join(folder, "tserve.yaml")];
    const keep = data === undefined ? ["--memory"] : ["--data", data];
    const all = [file, "--listen", "mqtt://127.0.0.1:0", ...config, ...keep, ...args];
    const running = new RunningProgram(process.execPath, all, { environment });
    await running.saw("try next", "stdout");
    const port = /listens on mqtt:\/\/127\.0\.0\.1:(\d+)/.exec(running.bytes.toString())?.[1];
    return new ServeProcess(running, Number(port), folder);
  }

  get output(): string {
    return this.running.bytes.toString();
  }

  /** Runs one of mosquitto's clients against this broker, until it ends. */
  run(client: "mosquitto_pub" | "mosquitto_sub", ...args: readonly string[]): Promise<Ended> {
    return this.start(client, ...args).ended;
  }

  start(client: "mosquitto_pub" | "mosquitto_sub", ...args: readonly string[]): RunningProgram {
    const all = ["-h", "127.0.0.1", "-p", String(this.port), ...args];
    return new RunningProgram(client, all, { stdin: "" });
  }

  async stop(signal: "SIGTERM" | "SIGINT" = "SIGTERM"): Promise<Ended> {
    this.running.child.kill(signal);
    const ended = await this.running.ended;
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true });
    return ended;
  }
}

/** A folder of its own, in which `yaml` is tserve.yaml. */
export function writeConfiguration(yaml: string): string {
  const folder = mkdtempSync(path.join(tmpdir(), "tserve-"));
  writeFileSync(path.join(folder, "tserve.yaml"), yaml);
  return folder;
}
