import assert from "node:assert/strict";
import { test } from "node:test";
import type { Reading } from "../../readings/index.ts";
import { type LogBatch, PendingLog } from "./pending-log.ts";

const series = { topic: "a", name: "a", tags: new Map(), units: new Map() };
const readings: readonly Reading[] = [{ series, time: 1, fields: new Map([["value", 1]]) }];
const message = (text: string) => ({
  topic: "a",
  payload: Buffer.from(text),
  qos: 0 as const,
  retain: false,
  arrivedAt: 1,
});

test("numbers and bytes go on when messages were released", () => {
  const log = new PendingLog();
  assert.deepEqual([log.add(message("1"), readings), log.add(message("2"), [])], [1, 2]);
  const two = log.bytes;
  assert.equal(log.add(message("3"), readings), 3);
  assert.equal(log.bytesAfter(2), log.bytes - two);
  log.release(2);
  log.release(1);
  assert.equal(log.messages, 1);
  assert.equal(log.bytes, log.bytesAfter(2));
  assert.equal(log.add(message("4"), readings), 4);
  log.release(4);
  assert.deepEqual([log.messages, log.bytes, log.last], [0, 0, 4]);
});

test("a stretch has what has readings, within its limits, and one message at least", () => {
  const log = new PendingLog();
  for (const text of ["1", "drop", "3", "4", "drop", "6"]) {
    log.add(message(text), text === "drop" ? [] : readings);
  }
  const textOf = ({ messages, through }: LogBatch) => {
    return [messages.map((mapped) => mapped.message.payload.toString()).join(""), through];
  };
  const read = (after: number, batchMessagesMax: number, batchBytesMax = 1e6) => {
    return textOf(log.read(after, { batchMessagesMax, batchBytesMax }, "those with readings"));
  };
  const whole = { batchMessagesMax: 2, batchBytesMax: 1e6 };
  assert.deepEqual(textOf(log.read(0, whole, "every message")), ["1drop", 2]);
  assert.deepEqual(read(0, 2), ["13", 3]);
  assert.deepEqual(read(3, 10), ["46", 6]);
  assert.deepEqual(read(6, 10), ["", 6]);
  assert.deepEqual(read(0, 10, 1), ["1", 1]);
  log.release(1);
  assert.deepEqual(read(1, 10, 1), ["3", 3]);
  assert.deepEqual(read(4, 10), ["6", 6]);
});
