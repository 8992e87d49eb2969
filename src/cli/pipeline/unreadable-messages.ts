/** Messages that the mapping cannot read, on their way to the dead letters: safe when they are there. */
import type { DeadLetter, DeadLetters } from "./dead-letters.ts";

export class UnreadableMessages {
  readonly #deadLetters: DeadLetters;
  readonly #progressed: () => void;
  #waiting: DeadLetter[] = [];
  #firstWaiting: number | undefined;
  /** The first of those that are being written. */
  #firstWriting: number | undefined;
  count = 0;

  constructor(deadLetters: DeadLetters, progressed: () => void) {
    this.#deadLetters = deadLetters;
    this.#progressed = progressed;
  }

  add(sequence: number, letter: DeadLetter): void {
    this.#firstWaiting ??= sequence;
    this.#waiting.push(letter);
    this.count += 1;
  }

  /** @param last the latest message of all */
  safeUpTo(last: number): number {
    return (this.#firstWriting ?? this.#firstWaiting ?? last + 1) - 1;
  }

  /** Writes what waits, all at once, one write at a time. */
  async write(): Promise<void> {
    if (this.#firstWriting !== undefined || this.#firstWaiting === undefined) return;
    const letters = this.#waiting;
    this.#firstWriting = this.#firstWaiting;
    this.#waiting = [];
    this.#firstWaiting = undefined;
    if (!(await this.#deadLetters.keep(letters))) return;
    this.#firstWriting = undefined;
    this.#progressed();
  }
}
