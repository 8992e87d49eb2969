/**
 * Brings one batch after the other to one sink: the same again until the destination is there, halved where it refuses
 * without saying what. One write is under way at a time; one that never ends is waited for.
 */
import { type MappedMessage, type Sink, SinkRefusal, SinkUnavailable } from "../../sinks/index.ts";
import type { DeadLetter } from "./dead-letters.ts";
import { Pause } from "./pause.ts";
import type { PipelineOptions, PipelineSink } from "./pipeline-options.ts";
import { atLeast, retryMilliseconds } from "./retry-time.ts";
import type { SinkHealth } from "./sink-health.ts";

export interface WriterOptions {
  readonly sink: PipelineSink;
  readonly health: SinkHealth;
  readonly limits: PipelineOptions["limits"];
  chance(): number;
}

export class SinkWriter {
  readonly #options: WriterOptions;
  readonly #sink: Sink;
  readonly #pause = new Pause();
  #stopped = false;
  messages = 0;
  records = 0;
  batches = 0;
  retries = 0;
  refused = 0;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#sink = options.sink.sink;
  }

  /** What was refused, when everything else is at the destination; undefined when it was stopped before that. */
  async write(batch: readonly MappedMessage[]): Promise<DeadLetter[] | undefined> {
    const letters: DeadLetter[] = [];
    const pieces = [batch];
    for (let piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) {
      if (piece.length === 0) continue;
      const outcome = await this.#writePiece(piece);
      if (outcome === "stopped") return undefined;
      if (outcome === "written") continue;
      if (outcome.refused === undefined && piece.length > 1) {
        const half = piece.length >> 1;
        pieces.push(piece.slice(half), piece.slice(0, half));
      } else this.#noteRefusal(piece, outcome, letters);
    }
    return letters;
  }

  stop(): void {
    this.#stopped = true;
    this.#pause.wake();
  }

  async #writePiece(piece: readonly MappedMessage[]): Promise<"written" | "stopped" | SinkRefusal> {
    const { chance, health, limits } = this.#options;
    for (let attempt = 0; !this.#stopped; attempt++) {
      try {
        const records = await this.#sink.write(piece);
        this.#count(piece.length, records);
        health.available();
        return "written";
      } catch (error) {
        if (error instanceof SinkRefusal) {
          health.available();
          return error;
        }
        if (!(error instanceof SinkUnavailable)) throw error;
        if (this.#stopped) break;
        this.retries += 1;
        health.unavailable(error.message);
        const wait = retryMilliseconds(attempt, chance(), limits);
        await this.#pause.wait(atLeast(wait, error.retryAfterSeconds));
      }
    }
    return "stopped";
  }

  #noteRefusal(piece: readonly MappedMessage[], refusal: SinkRefusal, letters: DeadLetter[]): void {
    const { name: sink } = this.#options.sink;
    const refused = refusal.refused ?? new Map([[0, refusal.message]]);
    let [count, records] = [0, 0];
    for (const [index, { message, readings }] of piece.entries()) {
      const reason = refused.get(index);
      if (reason === undefined) {
        count += 1;
        records += readings.length;
      } else letters.push({ sink, reason, message });
    }
    this.refused += piece.length - count;
    if (count > 0) this.#count(count, records);
  }

  #count(messages: number, records: number): void {
    this.messages += messages;
    this.records += records;
    this.batches += 1;
  }
}
