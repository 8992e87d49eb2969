/**
 * Live progress on stderr: one line that is written over every second on a terminal, a line every ten
 * seconds elsewhere, so that a log is no film.
 */
import type { Writable } from "node:stream";

const everySeconds = { terminal: 1, log: 10 } as const;

export class Progress {
  readonly #stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly #describe: (seconds: number) => string;
  #timer: NodeJS.Timeout | undefined;

  /** @param describe what happened since it was asked `seconds` ago. */
  constructor(stderr: Writable, describe: (seconds: number) => string) {
    this.#stderr = stderr;
    this.#describe = describe;
  }

  start(): void {
    const isTerminal = this.#stderr.isTTY === true;
    const seconds = isTerminal ? everySeconds.terminal : everySeconds.log;
    let last = performance.now();
    this.#timer = setInterval(() => {
      const now = performance.now();
      const text = this.#describe((now - last) / 1000);
      last = now;
      // Only one line of a terminal can be written over.
      const width = (this.#stderr.columns || 80) - 1;
      this.#stderr.write(isTerminal ? `\r\x1b[K${text.slice(0, width)}` : `${text}\n`);
    }, seconds * 1000);
  }

  /** A line that stays. */
  say(text: string): void {
    this.write(`${text}\n`);
  }

  /** Whole lines that stay. */
  write(lines: string): void {
    this.#wipe();
    this.#stderr.write(lines);
  }

  /** Leaves no half line behind. */
  stop(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#wipe();
  }

  #wipe(): void {
    if (this.#stderr.isTTY === true) this.#stderr.write("\r\x1b[K");
  }
}
