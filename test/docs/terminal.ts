/**
 * One of the terminals of a page: runs its commands one after the other in the repository's folder, or in one where it is
 * installed, as a reader would, and keeps what the last one has printed. A command is ready when it has ended, or when it says that it listens or is
 * subscribed; a command that nobody stopped must end by itself before the next.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const root = join(import.meta.dirname, "../..");
const waitMillisecondsMax = 15_000;

export class Terminal {
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #command = "";
  #output = "";
  #talk = "";
  #expected = "";

  constructor(environment: Readonly<Record<string, string | undefined>>, folder = root) {
    this.#environment = environment;
    this.#folder = folder;
  }

  get output(): string {
    return this.#output;
  }

  /** Of the last command; undefined while it runs. */
  get exitCode(): number | undefined {
    return this.#hasEnded() ? (this.#child?.exitCode ?? undefined) : undefined;
  }

  async run(command: string): Promise<void> {
    await this.finish();
    this.#command = command;
    this.#output = "";
    this.#talk = "";
    this.#expected = "";
    // Only with -d does tsubscribe tell when it is subscribed; a reader sees by waiting a moment.
    const isWaiting = /^npx tsubscribe(?!.* -d)/.test(command);
    const child = spawn(
      "sh",
      ["-c", isWaiting ? command.replace("tsubscribe", "$& -d") : command],
      {
        cwd: this.#folder,
        detached: true, // a process group of its own, as a terminal gives it, for signals to go to
        env: this.#environment,
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    this.#child = child;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#talk += text;
      if (!isWaiting) this.#output += text;
    });
    await this.#until("say that it is ready, or end", () => {
      return (
        this.#hasEnded() ||
        /listens on|: subscribed\n|: publishing |: consumes /.test(this.#output + this.#talk)
      );
    });
  }

  /** What the command must have printed by now, all of it. */
  async expect(output: string): Promise<void> {
    const lines = output.split("...").map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
    const pattern = new RegExp(`^${lines.join(".*")}$`);
    await this.#until(`print\n${output}`, () => pattern.test(this.#output));
    this.#expected = this.#output;
  }

  async signal(signal: "SIGINT" | "SIGHUP"): Promise<void> {
    assert.ok(
      this.#child?.pid !== undefined && !this.#hasEnded(),
      "there must be a command to stop",
    );
    process.kill(-this.#child.pid, signal);
    await this.finish();
  }

  /** Waits for the end of the last command, which must have printed nothing more than was expected. */
  async finish(): Promise<void> {
    await this.#until("end", () => this.#hasEnded());
    if (/^(?:[A-Z_]+=\S+ )*(?:npx tserve|npm start)\b/.test(this.#command)) return;
    assert.equal(this.#output, this.#expected, `the whole output of: ${this.#command}`);
  }

  /** For a page that failed in the middle. */
  kill(): void {
    if (this.#child?.pid !== undefined && !this.#hasEnded())
      process.kill(-this.#child.pid, "SIGKILL");
  }

  #hasEnded(): boolean {
    const child = this.#child;
    if (child === undefined) return true;
    const isClosed = child.stdout?.readableEnded === true && child.stderr?.readableEnded === true;
    return isClosed && (child.exitCode !== null || child.signalCode !== null);
  }

  async #until(what: string, isDone: () => boolean): Promise<void> {
    const deadline = performance.now() + waitMillisecondsMax;
    while (!isDone()) {
      if (performance.now() > deadline) {
        const said = `It printed\n${this.#output}and said\n${this.#talk}`;
        throw new Error(`waited too long for "${this.#command}" to ${what}\n${said}`);
      }
      await delay(20);
    }
  }
}
