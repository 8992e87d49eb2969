/**
 * A sink on trial: it is written to as a consumer does it, again while the destination is away, in halves where
 * something is refused, and what the destination holds is compared with what it should hold.
 */
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type MappedMessage, type Sink, SinkRefusal, SinkUnavailable } from "../sink.ts";
import { compare, valuesOf } from "./comparison.ts";
import type { SinkTraits, SinkUnderTest, StoredValue } from "./sink-under-test.ts";

export type SinkCheck = (trial: SinkTrial) => Promise<void>;

/** No sink keeps its caller waiting for longer, whatever the destination does. */
const answerSecondsMax = 20;
const retryMilliseconds = 50;

interface Holding {
  /** What may be there again beside what must be: of repeated batches, where the destination has no key. */
  readonly repeated?: readonly MappedMessage[];
}

export class SinkTrial {
  readonly traits: SinkTraits;
  readonly #underTest: SinkUnderTest;
  #sink: Sink;

  private constructor(underTest: SinkUnderTest, traits: SinkTraits, sink: Sink) {
    this.traits = traits;
    this.#underTest = underTest;
    this.#sink = sink;
  }

  static async open(underTest: SinkUnderTest, traits: SinkTraits): Promise<SinkTrial> {
    const trial = new SinkTrial(underTest, traits, await openSink(underTest));
    assert.deepEqual(await underTest.readBack(), [], "the destination begins empty");
    return trial;
  }

  get canBeCutOff(): boolean {
    return this.#underTest.interrupt !== undefined;
  }

  /** One attempt. */
  write(batch: readonly MappedMessage[]): Promise<number> {
    return answerOf("write", this.#sink.write(batch));
  }

  /** Writes until the destination has all of it, except for what it refuses: the indices of that are the answer. */
  async deliver(batch: readonly MappedMessage[]): Promise<readonly number[]> {
    const deadline = Date.now() + answerSecondsMax * 1000;
    for (;;) {
      try {
        await this.write(batch);
        return [];
      } catch (error) {
        if (error instanceof SinkRefusal) return this.#divide(batch, error);
        if (!(error instanceof SinkUnavailable) || Date.now() > deadline) throw error;
        await sleep(retryMilliseconds);
      }
    }
  }

  async #divide(batch: readonly MappedMessage[], refusal: SinkRefusal): Promise<readonly number[]> {
    if (refusal.refused !== undefined) return [...refusal.refused.keys()];
    if (batch.length === 1) return [0];
    const middle = Math.ceil(batch.length / 2);
    const first = await this.deliver(batch.slice(0, middle));
    const second = await this.deliver(batch.slice(middle));
    return [...first, ...second.map((index) => index + middle)];
  }

  explain(message: MappedMessage): string {
    return this.#underTest.sink.explain(message);
  }

  readBack(): Promise<readonly StoredValue[]> {
    return this.#underTest.readBack();
  }

  /** The destination has every value of these messages once, and nothing else. Answers them in their order. */
  async holds(
    messages: readonly MappedMessage[],
    { repeated = [] }: Holding = {},
  ): Promise<readonly StoredValue[]> {
    const expected = valuesOf(messages, this.traits);
    const stored = await this.readBack();
    const mayRepeat = new Set(this.traits.hasKey ? [] : valuesOf(repeated, this.traits));
    const { matches, unexpected } = compare(expected, stored, this.traits);
    const missing = expected.filter((_, index) => matches[index].length === 0);
    const doubled = expected.filter(
      (value, index) => matches[index].length > 1 && !hasEqual(mayRepeat, value),
    );
    const few = (values: readonly unknown[]) => [values.length, ...values.slice(0, 5)];
    assert.deepEqual(
      { missing: few(missing), unexpected: few(unexpected), doubled: few(doubled) },
      { missing: [0], unexpected: [0], doubled: [0] },
    );
    return matches.map(([value]) => value);
  }

  /** Cuts the destination off, where that can be. */
  async cutOff(): Promise<void> {
    await this.#underTest.interrupt?.();
  }

  async bringBack(): Promise<void> {
    await this.#underTest.resume?.();
  }

  /** Closes the sink and opens it again. */
  async reopen(): Promise<void> {
    await this.close();
    this.#sink = await answerOf("open", openSink(this.#underTest));
  }

  close(): Promise<void> {
    return answerOf("close", this.#sink.close());
  }

  async end(): Promise<void> {
    await this.close();
    await this.#underTest.end();
  }
}

function openSink({ sink, stdout }: SinkUnderTest): Promise<Sink> {
  return sink.open({ stdout: stdout ?? new PassThrough().resume(), say: () => undefined });
}

function hasEqual(values: ReadonlySet<StoredValue>, wanted: StoredValue): boolean {
  for (const { series, field, time } of values) {
    if (series === wanted.series && field === wanted.field && time === wanted.time) return true;
  }
  return false;
}

/** The answer of a sink, or a failure where it does not come in time. */
async function answerOf<T>(verb: string, answer: Promise<T>): Promise<T> {
  const patience = new AbortController();
  const late = async () => {
    await sleep(answerSecondsMax * 1000, undefined, { signal: patience.signal });
    throw new Error(`${verb} has not ended after ${answerSecondsMax} seconds`);
  };
  const lateness = late();
  // It is called off below, and says so.
  lateness.catch(() => undefined);
  try {
    return await Promise.race([answer, lateness]);
  } finally {
    patience.abort();
  }
}
