/** The queue against an array. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { defaultLimits, type Limits, silentLog } from "../base/index.ts";
import { Counters } from "./counters.ts";
import { Drops } from "./drops.ts";
import { Message } from "./message.ts";
import { MessageQueue } from "./message-queue.ts";
import type { QueueAccount } from "./queue-limits.ts";
import { type DeliveryOptions, QueuedMessage } from "./queued-message.ts";
import type { SharedSubscription } from "./shared-subscription.ts";

const options: DeliveryOptions = { qos: 1, retain: false, identifiers: [] };
const someGroup = {} as SharedSubscription;

function wrap(message: Message): QueuedMessage {
  return new QueuedMessage(message, options, undefined, undefined);
}

function createMessage(payloadBytes: number, expiresAt = Number.POSITIVE_INFINITY): Message {
  return Message.create(
    { topic: "t", qos: 1, retain: false, publisher: "", expiresAt },
    { properties: new Uint8Array(), expiryOffset: -1, payload: new Uint8Array(payloadBytes) },
  );
}

interface World {
  now: number;
  readonly counters: Counters;
  open(queueDrop?: "newest" | "oldest", account?: QueueAccount): MessageQueue;
}

function openWorld(limits: Partial<Limits> = {}): World {
  const world: World = {
    now: 0,
    counters: new Counters(),
    open: (queueDrop = "newest", account = undefined) =>
      new MessageQueue(
        {
          limits: { ...defaultLimits, ...limits },
          clock: { now: () => world.now, after: () => () => {}, atEndOfTick() {} },
          queueDrop,
          sharedQueues: account ?? { messages: 0, bytes: 0 },
        },
        new Drops("test", { clock: { now: () => 0 }, counters: world.counters, log: silentLog }),
        account && someGroup,
      ),
  };
  return world;
}

function offer(queue: MessageQueue, message: Message): void {
  queue.offer(message, options);
}

function checkSame(queue: MessageQueue, model: readonly QueuedMessage[]): void {
  assert.equal(queue.length, model.length);
  assert.equal(
    queue.bytes,
    model.reduce((bytes, { message }) => bytes + message.size, 0),
  );
}

test("what goes in comes out as from an array, with number and bytes known", () => {
  // Runs of one step long enough to pass the point where taken messages are given up.
  const step = fc.tuple(
    fc.constantFrom("push", "push", "shift", "shift", "unshift", "clear"),
    fc.oneof(fc.nat(5), fc.constant(1500)),
  );
  const property = fc.property(fc.array(step, { maxLength: 30, size: "max" }), (steps) => {
    const queue = openWorld({ queueMessagesMax: 100_000 }).open();
    const model: QueuedMessage[] = [];
    for (const [what, times] of steps) {
      for (let time = 0; time < times; time++) {
        const queued = wrap(createMessage(time % 3));
        if (what === "push") {
          queue.offer(queued.message, options);
          model.push(queued);
        } else if (what === "unshift" && time < 5) {
          queue.unshift(queued);
          model.unshift(queued);
        } else if (what === "shift") assert.equal(queue.shift()?.message, model.shift()?.message);
      }
      if (what === "clear" && times === 0) {
        queue.clear();
        model.length = 0;
      }
      checkSame(queue, model);
    }
    while (model.length > 0) assert.equal(queue.shift()?.message, model.shift()?.message);
    assert.equal(queue.shift(), undefined);
    checkSame(queue, model);
  });
  fc.assert(property, { numRuns: 30 });
});

test("what has expired makes room before anything else is lost", () => {
  const world = openWorld({ queueMessagesMax: 4 });
  const queue = world.open("newest");
  const lasting = createMessage(1);
  offer(queue, createMessage(2, 1000));
  offer(queue, lasting);
  offer(queue, createMessage(3, 2000));
  offer(queue, createMessage(4, 3000));
  world.now = 2500;
  offer(queue, createMessage(5));
  offer(queue, createMessage(6));
  offer(queue, createMessage(7));
  assert.deepEqual(world.counters.dropped.expired, 2);
  assert.deepEqual(world.counters.dropped.queueFull, 1, "only the last found it full");
  const sizes = [];
  for (let next = queue.shift(); next; next = queue.shift()) sizes.push(next.message.size - 1);
  assert.deepEqual(sizes, [1, 4, 5, 6]);
});

test("a full queue loses the newest or the oldest, and copies no message that it loses", () => {
  const world = openWorld({ queueMessagesMax: 2 });
  for (const [queueDrop, left] of [
    ["newest", [1, 2]],
    ["oldest", [2, 3]],
  ] as const) {
    const queue = world.open(queueDrop);
    for (const bytes of [1, 2, 3]) offer(queue, createMessage(bytes));
    const kept = [queue.shift(), queue.shift()].map((queued) => (queued?.message.size ?? 0) - 1);
    assert.deepEqual(kept, left);
  }
  assert.equal(world.counters.dropped.queueFull, 2);
  const full = openWorld({ queueMessagesMax: 0 }).open("oldest");
  const passing = createMessage(1);
  passing.keep = () => assert.fail("it is not copied");
  full.offer(passing, options);
  assert.equal(full.length, 0);
});

test("queues that share an account share its limit", () => {
  const world = openWorld({ sharedQueueBytesMax: 330 });
  const account = { messages: 0, bytes: 0 };
  const [first, second] = [world.open("newest", account), world.open("newest", account)];
  for (let count = 0; count < 3; count++) {
    offer(first, createMessage(9));
    offer(second, createMessage(9));
  }
  assert.deepEqual(account, { messages: 3, bytes: 330 });
  assert.equal(first.length + second.length, 3);
  assert.equal(world.counters.dropped.queueFull, 3);
  first.clear();
  while (second.shift() !== undefined);
  assert.deepEqual(account, { messages: 0, bytes: 0 });
});
