/**
 * A page that is followed, step by step, in a folder where tStack is installed, so that a test can look at what the page claims
 * in between: its commands are run as they stand but for their ports, which become free ones of 127.0.0.1. `page.ts` tells
 * how a page is read.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readPage, type Step } from "./page.ts";
import { Terminal } from "./terminal.ts";

const root = join(import.meta.dirname, "../..");
const programs = [
  "tserve",
  "tpublish",
  "tsubscribe",
  "tconsume",
  "tmonitor",
  "tstack",
  "tuser",
  "treg",
  "tregister",
];

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

export interface FollowedPageOptions {
  /** Those that the page names, or takes for granted. */
  readonly ports: readonly number[];
  /** What else is not as on the page, because a test runs it. */
  readonly adapt?: (command: string) => string;
  readonly environment?: Readonly<Record<string, string>>;
}

export class FollowedPage {
  readonly folder: string;
  readonly #page: string;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #adapt: (text: string) => string;
  readonly #steps: Step[];
  readonly #terminals = new Map<number, Terminal>();

  static async open(page: string, options: FollowedPageOptions): Promise<FollowedPage> {
    const ports = new Map<string, string>();
    for (const port of options.ports) ports.set(`${port}`, `${await findFreePort()}`);
    return new FollowedPage(page, ports, options);
  }

  private constructor(
    page: string,
    ports: ReadonlyMap<string, string>,
    { adapt = (command) => command, environment }: FollowedPageOptions,
  ) {
    this.folder = mkdtempSync(join(tmpdir(), "tstack-page-"));
    mkdirSync(join(this.folder, "node_modules/.bin"), { recursive: true });
    for (const program of programs) {
      const link = join(this.folder, "node_modules/.bin", program);
      symlinkSync(join(root, `bin/${program}.js`), link);
    }
    this.#page = page;
    this.#environment = {
      ...process.env,
      PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
      npm_config_loglevel: "silent",
      ...environment,
    };
    this.#adapt = (text) =>
      adapt(text)
        .replaceAll("//0.0.0.0:", "//127.0.0.1:")
        .replace(/(?<=:)\d{4}\b/g, (port) => ports.get(port) ?? port);
    const sections = readPage(readFileSync(join(root, page), "utf8"));
    this.#steps = sections.flatMap(({ steps }) => steps);
  }

  /** How many steps are left. */
  get left(): number {
    return this.#steps.length;
  }

  /** Up to the command that begins so, which is run too, and to what it must have printed. */
  async follow(start: string): Promise<void> {
    const isLast = (step: Step) => step.kind === "command" && step.command.startsWith(start);
    const last = this.#steps.findIndex(isLast);
    assert.ok(last >= 0, `no command begins with ${start}`);
    let end = last + 1;
    while (this.#steps[end]?.kind === "expect") end++;
    await this.#takeAll(this.#steps.splice(0, end));
  }

  /** What is left, to the end of its last command. */
  async followToEnd(): Promise<void> {
    await this.#takeAll(this.#steps.splice(0));
    for (const terminal of this.#terminals.values()) await terminal.finish();
  }

  async #takeAll(steps: readonly Step[]): Promise<void> {
    for (const [index, step] of steps.entries()) {
      await this.#take(step, steps[index + 1]?.kind === "expect").catch((error: unknown) => {
        throw new Error(`${this.#page}, line ${step.line}`, { cause: error });
      });
    }
  }

  /** Another command of the reader, in a terminal that the page does not have: what it has said. */
  async run(command: string): Promise<string> {
    const terminal = this.terminal(0);
    await terminal.run(this.#adapt(command));
    const { output } = terminal;
    await terminal.expect(output);
    return output;
  }

  terminal(number: number): Terminal {
    const terminal = this.#terminals.get(number) ?? new Terminal(this.#environment, this.folder);
    this.#terminals.set(number, terminal);
    return terminal;
  }

  /** What a file of the folder holds, without the line end. */
  read(file: string): string {
    return readFileSync(join(this.folder, file), "utf8").trimEnd();
  }

  async close(): Promise<void> {
    for (const terminal of this.#terminals.values()) terminal.kill();
    rmSync(this.folder, { recursive: true });
  }

  /** What the page does not show is not compared, but the command must have done what it should. */
  async #take(step: Step, isShown: boolean): Promise<void> {
    const terminal = this.terminal(step.terminal);
    if (step.kind === "expect") return terminal.expect(this.#adapt(step.output));
    if (step.kind !== "command")
      return terminal.signal(step.kind === "interrupt" ? "SIGINT" : "SIGHUP");
    await terminal.run(this.#adapt(step.command));
    if (isShown || terminal.exitCode === undefined) return;
    assert.equal(terminal.exitCode, 0, `${step.command}\n${terminal.output}`);
    await terminal.expect(terminal.output);
  }
}
