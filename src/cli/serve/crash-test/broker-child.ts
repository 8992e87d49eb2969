/**
 * The broker under test, as a child process that is killed and started again on the same folder. Its port is a new one each
 * time: nobody else can have taken it meanwhile. Never leaves a process behind.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { canConnect, findFreePort } from "./loopback-port.ts";

/** How a broker is started, and where it then listens. */
export interface BrokerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** It is told its port as `{port}`, and is up when it can be connected to; tserve tells its port itself. */
  readonly isForeign: boolean;
}

/** The broker ended by itself, or did not come up in time. `message` is for people, `output` what it said last. */
export class BrokerFailure extends Error {
  readonly output: readonly string[];

  constructor(message: string, output: readonly string[]) {
    super(message);
    this.name = "BrokerFailure";
    this.output = output;
  }
}

const startSecondsMax = 30;
const linesMax = 40;
const pollMilliseconds = 10;

const ownFolder = import.meta.dirname;
const ownExtension = extname(import.meta.filename);

/** This very tserve, from its sources or built. What the environment configures is left out. */
export function commandOfTserve(
  folder: string,
  durability: string,
  environment: BrokerCommand["environment"],
): BrokerCommand {
  const others = Object.entries(environment).filter(([name]) => !name.startsWith("TSTACK_"));
  const file = join(ownFolder, `../../tserve${ownExtension}`);
  const place = ["--listen", "mqtt://127.0.0.1:0", "--data", folder, "--durability", durability];
  return {
    program: process.execPath,
    args: [file, ...place, "--log-format", "json", "--log-level", "info"],
    // Sessions that stay away for the whole run keep all of it.
    environment: {
      ...Object.fromEntries(others),
      TSTACK_LIMITS_QUEUE_MESSAGES_MAX: "100000000",
      TSTACK_LIMITS_QUEUE_BYTES_MAX: "1000000000000",
      TSTACK_LIMITS_SHARED_QUEUE_BYTES_MAX: "1000000000000",
    },
    isForeign: false,
  };
}

/** Any broker: words between blanks, in which `{folder}` and `{port}` stand for what it shall use. */
export function commandOfWords(
  words: string,
  folder: string,
  environment: BrokerCommand["environment"],
): BrokerCommand {
  const [program = "", ...args] = words
    .split(/\s+/)
    .filter((word) => word !== "")
    .map((word) => word.replaceAll("{folder}", folder));
  return { program, args, environment, isForeign: true };
}

export class BrokerChild {
  readonly #command: BrokerCommand;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #port: number | undefined;
  #lines: string[] = [];
  readonly #killAtExit = () => this.#child?.kill("SIGKILL");

  constructor(command: BrokerCommand) {
    this.#command = command;
    process.on("exit", this.#killAtExit);
  }

  /** Where it listens; undefined while it does not. */
  get port(): number | undefined {
    return this.#port;
  }

  /** What it said last. */
  get output(): readonly string[] {
    return this.#lines;
  }

  /** Begins to start, and does not wait. */
  async launch(): Promise<void> {
    const { program, args, environment, isForeign } = this.#command;
    const port = isForeign ? await findFreePort() : undefined;
    const given = args.map((word) => word.replaceAll("{port}", String(port)));
    const child = spawn(program, given, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    this.#lines = [];
    this.#ended = once(child, "close").catch((error: Error) => {
      this.#lines.push(error.message); // there is no such program
      this.#child = undefined;
    });
    for (const stream of [child.stdout, child.stderr]) this.#read(child, stream);
    if (port !== undefined) await this.#waitForForeign(child, port);
  }

  /** Starts, and resolves with the milliseconds until it listens. @throws {BrokerFailure} */
  async start(signal: AbortSignal): Promise<number> {
    const begun = performance.now();
    await this.launch();
    while (this.#port === undefined) {
      this.throwIfEnded();
      if (performance.now() - begun > startSecondsMax * 1000) {
        const text = `the broker did not come up within ${startSecondsMax} s`;
        throw new BrokerFailure(text, this.#lines);
      }
      await sleep(pollMilliseconds, undefined, { signal });
    }
    return performance.now() - begun;
  }

  /** @throws {BrokerFailure} when it ended though nobody killed it */
  throwIfEnded(): void {
    const { exitCode = null, signalCode = null } = this.#child ?? {};
    if (this.#child !== undefined && exitCode === null && signalCode === null) return;
    const how =
      exitCode === null ? (signalCode ?? "it could not be started") : `exit code ${exitCode}`;
    throw new BrokerFailure(`the broker ended by itself (${how})`, this.#lines);
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#port = undefined;
    this.#child?.kill("SIGKILL");
    await this.#ended;
    this.#child = undefined;
  }

  /** For good. */
  async close(): Promise<void> {
    await this.kill();
    process.off("exit", this.#killAtExit);
  }

  #read(child: ChildProcess, stream: Readable): void {
    createInterface({ input: stream }).on("line", (line) => {
      if (this.#child !== child) return;
      this.#lines.push(line);
      if (this.#lines.length > linesMax) this.#lines.shift();
      if (!this.#command.isForeign) this.#port ??= readPort(line);
    });
  }

  async #waitForForeign(child: ChildProcess, port: number): Promise<void> {
    const until = performance.now() + startSecondsMax * 1000;
    while (this.#child === child && child.exitCode === null && performance.now() < until) {
      if (await canConnect(port)) {
        this.#port = port;
        return;
      }
      await sleep(pollMilliseconds);
    }
  }
}

/** Out of the line with which tserve tells where it listens. */
function readPort(line: string): number | undefined {
  const found = /"listen":\["mqtt:\/\/127\.0\.0\.1:(\d+)"/.exec(line);
  return found === null ? undefined : Number(found[1]);
}
