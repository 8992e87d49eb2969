/** The queue against an array. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { Message } from "./message.ts";
import { MessageQueue } from "./message-queue.ts";
import type { QueuedMessage } from "./queued-message.ts";

function queuedMessage(payloadBytes: number): QueuedMessage {
  const message = Message.create(
    { topic: "t", qos: 1, retain: false, publisher: "", expiresAt: Number.POSITIVE_INFINITY },
    { properties: new Uint8Array(), expiryOffset: -1, payload: new Uint8Array(payloadBytes) },
  );
  return { message, qos: 1, retain: false, identifiers: [], shared: undefined };
}

function checkSame(queue: MessageQueue, model: readonly QueuedMessage[]): void {
  assert.equal(queue.length, model.length);
  assert.equal(
    queue.bytes,
    model.reduce((bytes, { message }) => bytes + message.size, 0),
  );
}

function newSeed(context: TestContext): number {
  const seed = Math.floor(Math.random() * 2 ** 31);
  context.diagnostic(`seed ${seed}`);
  return seed;
}

test("what goes in comes out as from an array, with number and bytes known", (context) => {
  // Runs of one step long enough to pass the point where taken messages are given up.
  const step = fc.tuple(
    fc.constantFrom("push", "push", "shift", "shift", "unshift", "clear"),
    fc.oneof(fc.nat(5), fc.constant(1500)),
  );
  const property = fc.property(fc.array(step, { maxLength: 30, size: "max" }), (steps) => {
    const queue = new MessageQueue();
    const model: QueuedMessage[] = [];
    for (const [what, times] of steps) {
      for (let time = 0; time < times; time++) {
        const queued = queuedMessage(time % 3);
        if (what === "push") {
          queue.push(queued);
          model.push(queued);
        } else if (what === "unshift" && time < 5) {
          queue.unshift(queued);
          model.unshift(queued);
        } else if (what === "shift") assert.equal(queue.shift(), model.shift());
      }
      if (what === "clear" && times === 0) {
        queue.clear();
        model.length = 0;
      }
      checkSame(queue, model);
    }
    while (model.length > 0) assert.equal(queue.shift(), model.shift());
    assert.equal(queue.shift(), undefined);
    checkSame(queue, model);
  });
  fc.assert(property, { seed: newSeed(context), numRuns: 30 });
});
