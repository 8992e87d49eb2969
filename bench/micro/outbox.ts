/**
 * `Outbox`: 1,000 messages of a chunk appended one by one, one by one with a packet identifier, and as one range with
 * a packet identifier for each, with the end of the tick; and acknowledgements.
 * Measured 2026-11-23 on two shared cores of an Intel Xeon, Node 24.21: 44, 47 and 9.5 ns a message; an acknowledgement 4 ns.
 */
import { Counters } from "../../src/broker/counters.ts";
import { Outbox } from "../../src/broker/outbox.ts";
import type { Transport } from "../../src/broker/ports.ts";
import type { PublishRange } from "../../src/broker/publish-range.ts";
import { TickEnd } from "../../src/broker/tick-end.ts";
import { encodeChunk, encodeSample } from "./samples.ts";
import { type MicroTask, measureTasks } from "./stopwatch.ts";

const operations = 1000;
/** Takes everything at once. */
const transport: Transport = {
  remoteAddress: "bench",
  listener: "bench",
  pendingBytes: 0,
  write() {},
  pause() {},
  resume() {},
  end() {},
  destroy() {},
};
const owner = {
  outboxFlushed() {},
  fail(error: unknown) {
    throw error;
  },
};
const clock = { now: () => 0, after: () => () => {}, atEndOfTick() {} };
const tickEnd = new TickEnd(clock, new Counters());
const outbox = new Outbox(transport, tickEnd, owner);

const chunk = encodeChunk(operations, { qos: 1 });
const frameBytes = encodeSample({ qos: 1 }).length;
const topicBytes = Buffer.byteLength("bench/one");
const range: PublishRange = {
  bytes: chunk,
  start: 0,
  end: 0,
  count: 0,
  frameBytesMax: frameBytes,
  qos: 1,
  topic: "bench/one",
  topicBytes,
  publisher: "bench",
  isV5: false,
};
/** A range is at most as long as what an outbox copies. */
const rangeFrames = 500;
let identifier = 0;
const takeIdentifier = () => {
  identifier = (identifier + 1) & 0xffff;
  return identifier;
};

/** `append` is called for each frame's place; the tick ends behind the last. */
function frameTask(name: string, append: (at: number) => void): MicroTask {
  const run = () => {
    for (let at = 0; at < chunk.length; at += frameBytes) append(at);
    tickEnd.run();
  };
  return { name, unit: "message", operations, run };
}

await measureTasks(import.meta.filename, [
  frameTask("append", (at) => outbox.append(chunk, at, at + frameBytes)),
  frameTask("appendWithIdentifier", (at) => {
    const place = { start: at, end: at + frameBytes, identifierOffset: at + 4 + topicBytes };
    outbox.appendWithIdentifier(chunk, place, takeIdentifier());
  }),
  {
    name: "appendRange",
    unit: "message",
    operations,
    run: () => {
      for (let first = 0; first < operations; first += rangeFrames) {
        range.start = first * frameBytes;
        range.end = range.start + rangeFrames * frameBytes;
        range.count = rangeFrames;
        outbox.appendRange(range, takeIdentifier);
      }
      tickEnd.run();
    },
  },
  {
    name: "appendAcknowledgement",
    unit: "acknowledgement",
    operations,
    run: () => {
      for (let i = 0; i < operations; i++) outbox.appendAcknowledgement(0x40, i);
      tickEnd.run();
    },
  },
]);
