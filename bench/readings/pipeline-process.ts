/**
 * tconsume's pipeline with one real sink, fed as fast as it has room. Prints what it did with the messages that came
 * after the first ones:
 *
 *   node bench/readings/pipeline-process.ts SINK VALUES FOLDER BEFORE COUNT
 *
 * The sink `nothing` has everything at once: what is left is the pipeline's own.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { Pipeline } from "../../src/cli/pipeline/pipeline.ts";
import { defaultPipelineLimits } from "../../src/cli/pipeline/pipeline-options.ts";
import { createDefaultMapping } from "../../src/readings/index.ts";
import { type ConfiguredSink, type Sink, type SinkKind, sinkKinds } from "../../src/sinks/index.ts";
import type { SinkValues } from "../../src/sinks/sink.ts";
import { messageAt } from "./messages.ts";

/** As many as one read of a socket brings. */
const messagesPerTurn = 1000;
const drainSecondsMax = 60;

const [name, valuesText, parent, before, count] = process.argv.slice(2);
const folder = mkdtempSync(join(parent, "pipeline-"));

const nothing: Sink = {
  write: async (batch) => batch.length,
  close: async () => undefined,
};

async function configure(
  values: SinkValues,
): Promise<Pick<ConfiguredSink, "destination" | "open">> {
  if (name === "nothing") return { destination: name, open: async () => nothing };
  const kind: SinkKind = await sinkKinds[name]();
  return kind.configure(values);
}

function fail(reason: string): never {
  throw new Error(`${name}: ${reason}`);
}

const { destination, open } = await configure(JSON.parse(valuesText) as SinkValues);
const say = (line: string) => console.error(line);
let room: PromiseWithResolvers<void> | undefined;
const pipeline = await Pipeline.open({
  mapping: createDefaultMapping(),
  sinks: [{ name, destination, sink: await open({ stdout: process.stderr, say }) }],
  folder,
  limits: defaultPipelineLimits,
  talk: { say, debug: () => undefined, debugging: false },
  chance: Math.random,
  safe: () => undefined,
  room: () => room?.resolve(),
  failed: (failure) => fail(failure.message),
});

/** Returns when all of them are safe. */
async function consume(from: number, to: number): Promise<void> {
  for (let index = from; index < to; ) {
    const end = Math.min(index + messagesPerTurn, to);
    while (index < end && pipeline.hasRoom) pipeline.take(messageAt(index++));
    if (pipeline.hasRoom) await setImmediate();
    else {
      room = Promise.withResolvers();
      await room.promise;
    }
  }
  if (!(await pipeline.drain(drainSecondsMax))) fail("not all is written");
}

await consume(0, Number(before));
const cpuBefore = process.cpuUsage();
const startedAt = performance.now();
await consume(Number(before), Number(before) + Number(count));
const seconds = (performance.now() - startedAt) / 1000;
const { user, system } = process.cpuUsage(cpuBefore);
const { messages, records, retries, refused } = pipeline.counts().sinks[0];
await pipeline.close();
rmSync(folder, { recursive: true });
const all = Number(before) + Number(count);
if (messages !== all || records !== all || retries + refused > 0) {
  fail(`${messages} messages and ${records} records of ${all}, ${retries} retries`);
}
const figures = {
  readingsPerSecond: Number(count) / seconds,
  cpuMicroseconds: (user + system) / Number(count),
};
console.log(JSON.stringify(figures));
