/** A queue whose messages are in the storage: what of it is in memory, where rows stand, and what is counted. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { completeLimits, silentLog } from "../base/index.ts";
import { MemoryStorage } from "../storage/index.ts";
import { Counters } from "./counters.ts";
import { Drops } from "./drops.ts";
import { Journal } from "./journal.ts";
import { Message } from "./message.ts";
import type { SharedSubscription } from "./shared-subscription.ts";
import { StoredQueue } from "./stored-queue.ts";
import { TickEnd } from "./tick-end.ts";

const place = { qos: 1, retain: false, identifiers: [] } as const;
const session = {
  queue: 1,
  clientIdentifier: "c",
  userName: undefined,
  isV5: true,
  expirySeconds: 1,
  expiresAt: Infinity,
  isConnected: false,
  will: undefined,
};

class Shelf {
  readonly storage = new MemoryStorage();
  readonly counters = new Counters();
  readonly account = { messages: 0, bytes: 0 };
  readonly journal: Journal;
  readonly queue: StoredQueue;
  reads = 0;
  #endOfTick: (() => void) | undefined;

  constructor({ isShared = false, queueMessagesMax = 10_000 } = {}) {
    const clock = {
      now: () => 1000,
      after: () => () => undefined,
      atEndOfTick: (callback: () => void) => {
        this.#endOfTick = callback;
      },
    };
    const limits = completeLimits({ queueMessagesMax });
    const { storage, counters } = this;
    const tickEnd = new TickEnd(clock, counters);
    this.journal = new Journal({ storage, clock, log: silentLog, limits, tickEnd });
    this.journal.note({ kind: "session", session });
    const read = storage.readWaiting.bind(storage);
    storage.readWaiting = (page) => {
      this.reads++;
      return read(page);
    };
    const sessionContext = { counters, log: silentLog } as ConstructorParameters<typeof Drops>[1];
    this.queue = new StoredQueue({
      queue: 1,
      drops: new Drops("c", sessionContext),
      shared: isShared ? ({} as SharedSubscription) : undefined,
      refilled: () => undefined,
      context: {
        limits,
        clock,
        queueDrop: "newest",
        journal: this.journal,
        storage,
        sharedQueues: this.account,
        storageFailed: (error) => assert.fail(String(error)),
      },
    });
  }

  endTick(): void {
    const endOfTick = this.#endOfTick;
    this.#endOfTick = undefined;
    endOfTick?.();
  }

  offer(...payloads: string[]): void {
    for (const payload of payloads) this.queue.offer(messageOf(payload), place);
  }

  take(): string | undefined {
    const queued = this.queue.shift();
    if (queued?.row !== undefined) this.journal.remove(queued.row);
    return queued && textOf(queued.message);
  }
}

function messageOf(payload: string): Message {
  return Message.create(
    { topic: "t", qos: 1, retain: false, publisher: "", expiresAt: Infinity },
    { properties: Buffer.alloc(0), expiryOffset: -1, payload: Buffer.from(payload) },
  );
}

function textOf({ bytes, payloadStart, payloadEnd }: Message): string {
  return bytes.toString("utf8", payloadStart, payloadEnd);
}

test("nobody is there: nothing is read, everything is counted", () => {
  const shelf = new Shelf();
  shelf.offer("a", "b", "c");
  shelf.endTick();
  assert.deepEqual([shelf.queue.length, shelf.queue.bytes, shelf.reads], [3, 6, 0]);
  assert.equal(shelf.take(), undefined);
  shelf.queue.open();
  assert.deepEqual([shelf.take(), shelf.take()], ["a", "b"]);
  shelf.queue.close();
  assert.equal(shelf.take(), undefined);
  shelf.queue.open();
  assert.equal(shelf.take(), "c");
  assert.deepEqual([shelf.queue.length, shelf.queue.bytes], [0, 0]);
});

test("somebody is there: what fits is in memory at once, and the storage is not asked", () => {
  const shelf = new Shelf();
  shelf.queue.open();
  for (let number = 0; number < 900; number++) shelf.offer(`${number}`);
  for (let number = 0; number < 900; number++) assert.equal(shelf.take(), `${number}`);
  assert.equal(shelf.reads, 0);
  shelf.endTick();
  assert.equal(shelf.storage.restore().messageLast, 0);
});

test("beyond a thousand, or 256 KB, messages are in the storage alone until it is their turn", () => {
  for (const { bytes, count, inMemory } of [
    { bytes: 1, count: 2500, inMemory: 1000 },
    { bytes: 10_000, count: 100, inMemory: 27 },
  ]) {
    const shelf = new Shelf();
    shelf.queue.open();
    const payloads = Array.from({ length: count }, (_, number) => `${number}`.padEnd(bytes));
    shelf.offer(...payloads);
    for (let number = 0; number < count; number++) {
      if (number === 1) shelf.endTick();
      const taken = shelf.take();
      assert.equal(taken, payloads[number], `${number}, of which ${inMemory} were in memory`);
      if (number + 1 < inMemory / 2) assert.equal(shelf.queue.length, count - number - 1);
    }
    assert.ok(shelf.reads > 0 && shelf.reads < 20, `${shelf.reads} pages`);
    assert.equal(shelf.take(), undefined);
  }
});

test("what is put back comes first; what was never in the queue is stored before it", () => {
  const shelf = new Shelf({ isShared: true });
  shelf.queue.open();
  shelf.offer("a", "b");
  const first = shelf.queue.shift();
  const second = shelf.queue.shift();
  assert.ok(first !== undefined && second !== undefined);
  shelf.queue.unshift(second);
  shelf.queue.unshift(first);
  const third = Object.assign(Object.create(Object.getPrototypeOf(first)), {
    ...first,
    message: messageOf("before"),
    row: undefined,
  });
  shelf.queue.unshift(third);
  assert.equal(shelf.account.messages, 3);
  shelf.endTick();
  const page = { queue: 1, after: -100, messagesMax: 10, bytesMax: 1000 };
  const rows = shelf.storage.readWaiting(page).map(({ row }) => row.position);
  assert.deepEqual(rows, [-1, 1, 2]);
  assert.deepEqual([shelf.take(), shelf.take(), shelf.take()], ["before", "a", "b"]);
  assert.deepEqual(shelf.account, { messages: 0, bytes: 0 });
});

test("what is sent at once to somebody who is not stored is stored, and not counted or read", () => {
  const shelf = new Shelf({ isShared: true });
  shelf.queue.open();
  const row = shelf.queue.keep(messageOf("on its way"));
  shelf.offer("waits");
  shelf.endTick();
  assert.equal(shelf.queue.length, 1);
  assert.equal(shelf.take(), "waits");
  shelf.journal.remove(row);
  shelf.endTick();
  assert.equal(shelf.storage.restore().messageLast, 0);
});

test("counts that the storage does not bear out are put right", () => {
  const shelf = new Shelf();
  shelf.offer("a", "b");
  shelf.endTick();
  shelf.journal.promise({ kind: "removed", queue: 1, position: 2, message: 2 });
  shelf.endTick();
  shelf.queue.open();
  assert.equal(shelf.take(), "a");
  assert.equal(shelf.take(), undefined);
  assert.deepEqual([shelf.queue.length, shelf.queue.bytes], [0, 0]);
});

test("a queue that has ended counts nothing and gives nothing", () => {
  const shelf = new Shelf({ isShared: true, queueMessagesMax: 2 });
  shelf.queue.open();
  shelf.offer("a", "b", "c");
  assert.equal(shelf.counters.dropped.queueFull, 1);
  shelf.queue.clear();
  assert.deepEqual([shelf.queue.length, shelf.queue.bytes], [0, 0]);
  assert.deepEqual(shelf.account, { messages: 0, bytes: 0 });
  assert.equal(shelf.take(), undefined);
});
