/** First in, first out; what was taken is not held, and the bytes are those of what is there. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Message } from "./message.ts";
import { QueueFront } from "./queue-front.ts";
import { QueuedMessage } from "./queued-message.ts";

function queued(name: string, expiresAt = Infinity): QueuedMessage {
  const message = Message.create(
    { topic: "t", qos: 1, retain: false, publisher: "", expiresAt },
    { properties: Buffer.alloc(0), expiryOffset: -1, payload: Buffer.from(name) },
  );
  return new QueuedMessage(
    message,
    { qos: 1, retain: false, identifiers: [] },
    undefined,
    undefined,
  );
}

function take(front: QueueFront): string | undefined {
  const message = front.shift()?.message;
  return message?.bytes.toString("utf8", message.payloadStart, message.payloadEnd);
}

test("first in, first out, and what is put back comes first", () => {
  const front = new QueueFront();
  for (const name of ["a", "b", "c"]) front.push(queued(name));
  front.unshift(queued("before"));
  assert.equal(take(front), "before");
  assert.equal(take(front), "a");
  front.unshift(queued("again"));
  assert.equal(front.length, 3);
  assert.deepEqual(
    [take(front), take(front), take(front), take(front)],
    ["again", "b", "c", undefined],
  );
  assert.deepEqual([front.length, front.bytes], [0, 0]);
});

test("thousands go through it, and lengths and bytes are right all the way", () => {
  const front = new QueueFront();
  let next = 0;
  let taken = 0;
  for (let round = 0; round < 3000; round++) {
    front.push(queued(`${next++}`.padStart(5)));
    if (round % 5 !== 0) assert.equal(take(front), `${taken++}`.padStart(5));
    assert.equal(front.length, next - taken);
    assert.equal(front.bytes, (next - taken) * 6);
  }
});

test("what has expired is taken out of it, wherever it stands", () => {
  const front = new QueueFront();
  for (const [name, expiresAt] of [
    ["a", 10],
    ["b", Infinity],
    ["c", 5],
    ["d", 30],
  ] as const)
    front.push(queued(name, expiresAt));
  assert.equal(front.firstExpiresAt, 5);
  assert.equal(take(front), "a");
  assert.deepEqual(front.takeExpired(4), []);
  assert.equal(front.takeExpired(10).length, 1);
  assert.equal(front.firstExpiresAt, 30);
  assert.equal(front.bytes, 4);
  assert.deepEqual([take(front), take(front), take(front)], ["b", "d", undefined]);
  front.push(queued("e"));
  front.clear();
  assert.deepEqual([front.length, front.bytes, front.firstExpiresAt], [0, 0, Infinity]);
});
