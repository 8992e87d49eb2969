/**
 * Answers of an HTTP service by what was asked, for as long as they hold: a bounded number, in bounded memory, the oldest go
 * first. The keys are digests under a key of this process alone, so no password can be read or guessed from them.
 */
import { createHmac, randomBytes } from "node:crypto";
import type { Clock } from "../base/index.ts";
import type { HttpAnswer } from "./http-answer.ts";

const answersMax = 10_000;
const answerBytesMax = 16_777_216;

interface Entry {
  readonly answer: HttpAnswer;
  readonly bytes: number;
  readonly until: number;
}

export class HttpAnswerCache {
  readonly #clock: Clock;
  readonly #secret = randomBytes(32);
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Of all that is asked. */
  keyOf(question: string): string {
    return createHmac("sha256", this.#secret).update(question).digest("base64");
  }

  find(key: string): HttpAnswer | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (this.#clock.now() < entry.until) return entry.answer;
    this.#remove(key, entry);
    return undefined;
  }

  /** `bytes` is the size of the answer as it came. */
  keep(key: string, answer: HttpAnswer, { bytes, until }: { bytes: number; until: number }): void {
    if (until <= this.#clock.now()) return;
    const former = this.#entries.get(key);
    if (former !== undefined) this.#remove(key, former);
    this.#entries.set(key, { answer, bytes, until });
    this.#bytes += bytes;
    for (const [oldest, entry] of this.#entries) {
      if (this.#entries.size <= answersMax && this.#bytes <= answerBytesMax) return;
      this.#remove(oldest, entry);
    }
  }

  #remove(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}
