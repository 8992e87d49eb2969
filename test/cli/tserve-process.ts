/** Runs tserve as a process of its own on a free port of 127.0.0.1, and other people's clients against it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
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
  /** The configuration file; if it says where to listen, that is where. */
  readonly yaml?: string;
  /** Behind `--listen mqtt://127.0.0.1:0`. */
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The folder in which it keeps its state; without, it keeps none. */
  readonly data?: string;
}

export class ServeProcess {
  readonly running: RunningProgram;
  /** The ports of its listeners. */
  readonly ports: readonly number[];
  readonly #folder: string | undefined;

  private constructor(
    running: RunningProgram,
    ports: readonly number[],
    folder: string | undefined,
  ) {
    this.running = running;
    this.ports = ports;
    this.#folder = folder;
  }

  static async start(options: StartOptions = {}): Promise<ServeProcess> {
    const { yaml, args = [], environment, data } = options;
    const folder = yaml === undefined ? undefined : writeConfiguration(yaml);
    const config = folder === undefined ? [] : ["--config", path.join(folder, "tserve.yaml")];
    const keep = data === undefined ? ["--memory"] : ["--data", data];
    const listen = yaml?.match(/^listen:/m) ? [] : ["--listen", "mqtt://127.0.0.1:0"];
    const all = [file, ...listen, ...config, ...keep, ...args];
    const running = new RunningProgram(process.execPath, all, { environment });
    await running.saw("try next", "stdout");
    const [, urls] = /listens on ([^"\n]+)/.exec(running.bytes.toString()) ?? ["", ""];
    const ports = Array.from(urls.matchAll(/:(\d+)/g), ([, port]) => Number(port));
    return new ServeProcess(running, ports, folder);
  }

  /** Of its first listener. */
  get port(): number {
    return this.ports[0];
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

  /** Waits for what its log says; answers the match. */
  async logged(pattern: RegExp): Promise<RegExpExecArray> {
    for (let attempt = 0; attempt < 500; attempt++) {
      const match = pattern.exec(this.output);
      if (match !== null) return match;
      await sleep(20);
    }
    throw new Error(`${pattern} is not in the log:\n${this.output}`);
  }

  async stop(signal: "SIGTERM" | "SIGINT" | "SIGKILL" = "SIGTERM"): Promise<Ended> {
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
