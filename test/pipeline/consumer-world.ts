/**
 * A pipeline with the world around it: a folder of its own, a mapping that is easy to think about, and sinks that
 * misbehave on command. A payload `drop` has no readings, `unreadable` cannot be mapped; all others are texts.
 */
import assert from "node:assert/strict";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { TstackError } from "../../src/base/index.ts";
import type { ProgramFailure } from "../../src/cli/client/index.ts";
import { ArrivalClock } from "../../src/cli/consume/arrival-clock.ts";
import { Pipeline } from "../../src/cli/pipeline/pipeline.ts";
import {
  defaultPipelineLimits,
  type PipelineLimits,
  type SinkCounts,
} from "../../src/cli/pipeline/pipeline-options.ts";
import type { ConsumedMessage, Mapping } from "../../src/readings/index.ts";
import type { MappedMessage, Sink } from "../../src/sinks/index.ts";

export const textMapping: Mapping = {
  map: (message) => {
    const text = message.payload.toString();
    if (text === "drop") return [];
    if (text === "unreadable") throw new TstackError("PAYLOAD_UNREADABLE", "it is not readable");
    const series = { topic: message.topic, name: message.topic, tags: new Map(), units: new Map() };
    return [{ series, time: message.arrivedAt, fields: new Map([["value", text]]) }];
  },
};

const clock = new ArrivalClock();

export function makeMessage(text: string, more: Partial<ConsumedMessage> = {}): ConsumedMessage {
  const facts = { topic: "site/room", qos: 1, retain: false, arrivedAt: clock.next() } as const;
  return { ...facts, payload: Buffer.from(text), ...more };
}

export const textOf = ({ message }: MappedMessage) => message.payload.toString();

/** What a sink does with a batch: throws, waits, or takes it. */
type Behaviour = (batch: readonly MappedMessage[]) => Promise<void> | void;

/** Keeps what it was given as long as `behave` lets it. Two writes at a time are a mistake of the pipeline. */
export class TestSink implements Sink {
  readonly has: string[] = [];
  readonly batches: string[][] = [];
  behave: Behaviour = () => undefined;
  attempts = 0;
  closed = false;
  #writing = false;

  async write(batch: readonly MappedMessage[]): Promise<number> {
    assert.ok(!this.#writing && !this.closed && batch.length > 0);
    this.#writing = true;
    this.attempts += 1;
    try {
      await this.behave(batch);
      this.has.push(...batch.map(textOf));
      this.batches.push(batch.map(textOf));
      return batch.length;
    } finally {
      this.#writing = false;
    }
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

/** Quick where people would wait. */
const quickLimits: PipelineLimits = {
  ...defaultPipelineLimits,
  batchMilliseconds: 0,
  retryMillisecondsMin: 5,
  retryMillisecondsMax: 20,
  spoolAfterSeconds: 0.05,
  closeSecondsMax: 0.2,
};

export function makeFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "tstack-consume-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface WorldOptions {
  readonly folder: string;
  readonly sinks: Readonly<Record<string, Sink>>;
  readonly limits?: Partial<PipelineLimits>;
  readonly mapping?: Mapping;
  /** Of the sinks. */
  readonly takesMessages?: readonly string[];
}

/** A run of the pipeline, and what it has told. */
export class World {
  readonly folder: string;
  readonly lines: string[] = [];
  readonly failures: ProgramFailure[] = [];
  safe = 0;
  rooms = 0;
  #pipeline: Pipeline | undefined;
  #told = Promise.withResolvers<void>();

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(options: WorldOptions): Promise<World> {
    const { folder, sinks, limits, mapping, takesMessages = [] } = options;
    const world = new World(folder);
    const say = (line: string) => {
      world.lines.push(line);
      world.#tell();
    };
    world.#pipeline = await Pipeline.open({
      mapping: mapping ?? textMapping,
      sinks: Object.entries(sinks).map(([name, sink]) => ({
        name,
        destination: `${name} at home`,
        takesMessages: takesMessages.includes(name),
        sink,
      })),
      folder,
      limits: { ...quickLimits, ...limits },
      talk: { say, debug: () => undefined, debugging: false },
      chance: () => 0.5,
      safe: (sequence) => {
        assert.ok(sequence > world.safe, "safe goes only up");
        world.safe = sequence;
        world.#tell();
      },
      room: () => {
        world.rooms += 1;
        world.#tell();
      },
      failed: (failure) => {
        world.failures.push(failure);
        world.#tell();
      },
    });
    return world;
  }

  get pipeline(): Pipeline {
    assert.ok(this.#pipeline !== undefined);
    return this.#pipeline;
  }

  take(...texts: string[]): number {
    let sequence = 0;
    for (const text of texts) sequence = this.pipeline.take(makeMessage(text));
    return sequence;
  }

  /** Waits until it is so; asked again whenever the pipeline has told something, and now and then. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      const timer = setTimeout(() => this.#tell(), 10);
      await this.#told.promise;
      clearTimeout(timer);
    }
  }

  sink(name: string): SinkCounts {
    const counts = this.pipeline.counts().sinks.find((sink) => sink.name === name);
    assert.ok(counts !== undefined);
    return counts;
  }

  #tell(): void {
    this.#told.resolve();
    this.#told = Promise.withResolvers();
  }
}

/** All of them, the oldest first. */
export function readLetters(folder: string): Record<string, unknown>[] {
  const files = globSync("dead-letters*.jsonl", { cwd: folder });
  files.sort((one, other) => ageOf(other) - ageOf(one));
  return files.flatMap((file) =>
    readFileSync(join(folder, file), "utf8")
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
  );
}

function ageOf(file: string): number {
  return Number(/\d+/.exec(file)?.[0] ?? 0);
}

export const hasSpool = (folder: string, name: string) =>
  existsSync(join(folder, `spool-${name}.db`));

/** A gate that a sink waits at. */
export function makeGate(): { readonly passed: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, open: resolve };
}
