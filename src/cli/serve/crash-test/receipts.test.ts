import assert from "node:assert/strict";
import { test } from "node:test";
import { Faults } from "./faults.ts";
import { MessageStream, readPayload, writePayload } from "./message-stream.ts";
import { Receipts } from "./receipts.ts";

const topic = "crash/messages/p/a";

/** A stream of `count` messages, acknowledged unless named, and a subscriber to it. */
function open(qos: 1 | 2, count: number, unacknowledged: readonly number[] = []) {
  const faults = new Faults();
  const stream = new MessageStream(topic, qos);
  stream.beginRound();
  for (let index = 0; index < count; index++) {
    const number = stream.add();
    if (!unacknowledged.includes(number)) stream.acknowledge(number);
  }
  const receipts = new Receipts({ name: "s", qos: 2, isOrdered: true }, [stream], faults);
  const take = (...numbers: readonly number[]) => {
    for (const number of numbers) receipts.take(topic, writePayload(topic, number));
  };
  return { faults, receipts, take };
}

test("everything acknowledged and received is no fault, also where QoS 1 comes twice", () => {
  const { faults, receipts, take } = open(1, 4, [2]);
  take(0, 1, 0, 1);
  assert.equal(receipts.isComplete, false);
  take(3);
  assert.equal(receipts.isComplete, true);
  receipts.addMissing(true);
  assert.deepEqual([faults.total, receipts.received, receipts.again], [0, 3, 2]);
});

test("what was acknowledged and never came is missing, with its stream and round", () => {
  const { faults, receipts, take } = open(1, 4);
  take(0, 1, 3);
  assert.equal(receipts.isComplete, false);
  receipts.addMissing(true);
  assert.equal(faults.count("missing"), 1);
  assert.match(
    faults.examples[0],
    /s never received message 2 of .*p\/a \(QoS 1, sent in round 1\)/,
  );
});

test("before everything was drained only what was overtaken is missing", () => {
  const { faults, receipts, take } = open(1, 9);
  take(0, 2);
  receipts.addMissing(false);
  assert.equal(faults.count("missing"), 1);
});

test("QoS 2 may not come twice", () => {
  const { faults, take } = open(2, 2);
  take(0, 1, 1);
  assert.deepEqual([faults.count("twice"), faults.total], [1, 1]);
});

test("the first time of each message is in the order of sending", () => {
  const { faults, take } = open(1, 4);
  take(0, 2, 0, 1, 3);
  assert.deepEqual([faults.count("order"), faults.total], [1, 1]);
});

test("what nobody sent, and what was changed on the way, is told", () => {
  const { faults, receipts, take } = open(1, 200);
  take(200);
  receipts.take("crash/messages/other", writePayload(topic, 0));
  receipts.take(topic, Buffer.from("no number"));
  const changed = writePayload(topic, 96);
  changed[5000] ^= 1;
  receipts.take(topic, changed);
  assert.deepEqual([faults.count("damaged"), faults.total], [4, 4]);
});

test("a payload tells its number", () => {
  for (const number of [0, 1, 96, 97, 123_456]) {
    assert.equal(readPayload(topic, writePayload(topic, number)), number);
  }
  assert.equal(readPayload("another", writePayload(topic, 1)), undefined);
});
