/** Epochs become safe in order, when written or when nothing of them need be; whoever waits is called once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { completeLimits, silentLog } from "../base/index.ts";
import { MemoryStorage } from "../storage/index.ts";
import { Counters } from "./counters.ts";
import { Journal } from "./journal.ts";
import { Message } from "./message.ts";
import { PendingRow } from "./pending-row.ts";
import type { CommitOutcome, StorageChange } from "./storage-port.ts";
import { TickEnd } from "./tick-end.ts";

/** Ticks end and timers ring when the test says so; each commit is answered by it. */
class Desk {
  now = 1000;
  readonly errors: object[] = [];
  readonly batches: StorageChange[][] = [];
  readonly journal: Journal;
  /** How many ticks were asked for. */
  ticks = 0;
  #callback: (() => void) | undefined;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];
  #answer: PromiseWithResolvers<CommitOutcome> | undefined;
  readonly #tickEnd: TickEnd;

  constructor() {
    const clock = {
      now: () => this.now,
      after: (milliseconds: number, callback: () => void) => {
        const timer = { at: this.now + milliseconds, callback };
        this.#timers.push(timer);
        return () => {
          this.#timers = this.#timers.filter((one) => one !== timer);
        };
      },
      atEndOfTick: (callback: () => void) => {
        this.ticks++;
        this.#callback = callback;
      },
    };
    const storage = Object.assign(new MemoryStorage(), {
      durability: "fsync" as const,
      commit: (changes: readonly StorageChange[]) => {
        this.batches.push([...changes]);
        this.#answer = Promise.withResolvers<CommitOutcome>();
        return this.#answer.promise;
      },
    });
    const log = { ...silentLog, error: (fields: object) => this.errors.push(fields) };
    this.#tickEnd = new TickEnd(clock, new Counters());
    this.journal = new Journal({
      storage,
      clock,
      log,
      limits: completeLimits(),
      tickEnd: this.#tickEnd,
    });
  }

  /** Whether somebody has asked for the end of a tick. */
  get isArmed(): boolean {
    return this.#callback !== undefined;
  }

  endTick(): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.();
  }

  async answer(error?: Error): Promise<void> {
    const answer = this.#answer;
    this.#answer = undefined;
    if (error === undefined) answer?.resolve({ trimmed: [] });
    else answer?.reject(error);
    await new Promise(setImmediate);
  }

  advance(milliseconds: number): void {
    this.now += milliseconds;
    const due = this.#timers.filter(({ at }) => at <= this.now);
    this.#timers = this.#timers.filter(({ at }) => at > this.now);
    for (const { callback } of due) callback();
  }

  wait(name: string, told: string[]): void {
    this.journal.wait({ committed: () => told.push(name) });
  }

  row(
    position: number,
    isUrgent = false,
    content: Message | undefined = messageOf("x"),
  ): PendingRow {
    const place = { queue: 1, position, packetIdentifier: 0, qos: 1, retain: false } as const;
    const row = new PendingRow({ ...place, subscriptionIdentifiers: [] }, content);
    this.journal.addRow(row, isUrgent);
    return row;
  }
}

function messageOf(payload: string): Message {
  return Message.create(
    { topic: "t", qos: 1, retain: false, publisher: "", expiresAt: Infinity },
    { properties: Buffer.alloc(0), expiryOffset: -1, payload: Buffer.from(payload) },
  );
}

const change: StorageChange = { kind: "released", queue: 1, packetIdentifier: 1 };

test("what promises nothing is safe at the end of its tick, what does when it is written", async () => {
  const desk = new Desk();
  const told: string[] = [];
  desk.wait("nothing", told);
  assert.deepEqual(told, [], "not within the tick");
  desk.endTick();
  assert.deepEqual(told, ["nothing"]);
  desk.journal.promise(change);
  desk.wait("promise", told);
  desk.endTick();
  desk.wait("behind it", told);
  desk.endTick();
  assert.deepEqual(told, ["nothing"]);
  assert.equal(desk.batches.length, 1);
  await desk.answer();
  assert.deepEqual(told, ["nothing", "promise", "behind it"]);
  assert.equal(desk.isArmed, false);
});

test("a note is written and nobody waits for it", async () => {
  const desk = new Desk();
  const told: string[] = [];
  desk.journal.note(change);
  desk.wait("note", told);
  desk.endTick();
  assert.deepEqual(told, ["note"]);
  desk.advance(1);
  assert.equal(desk.batches.length, 1);
  await desk.answer();
  assert.ok(desk.journal.isIdle);
});

test("one batch is under way while the next is gathered; what is called off meanwhile is not in it", async () => {
  const desk = new Desk();
  const told: string[] = [];
  desk.journal.promise(change);
  desk.endTick();
  const first = desk.row(1, true);
  desk.wait("first", told);
  desk.endTick();
  const second = desk.row(2, true);
  desk.wait("second", told);
  desk.endTick();
  assert.equal(desk.batches.length, 1);
  desk.journal.remove(first);
  desk.endTick();
  assert.deepEqual(told, [], "epochs become safe in order, and the batch before is not written");
  await desk.answer();
  assert.deepEqual(told, ["first"]);
  assert.deepEqual(
    desk.batches[1].map(({ kind }) => kind),
    ["message", "row"],
  );
  assert.equal(desk.journal.rowsCancelled, 1);
  desk.journal.remove(second);
  await desk.answer();
  assert.deepEqual(told, ["first", "second"]);
  desk.endTick();
  desk.advance(1);
  assert.deepEqual(desk.batches[2], [
    { kind: "removed", queue: 1, position: 2, message: second.message },
  ]);
});

test("of what is not urgent only the old is written: the young may yet be called off", async () => {
  const desk = new Desk();
  const told: string[] = [];
  desk.journal.commitMilliseconds = 10;
  desk.row(1);
  desk.wait("old", told);
  desk.endTick();
  desk.advance(6);
  const young = desk.row(2);
  desk.wait("young", told);
  desk.endTick();
  desk.advance(4);
  assert.deepEqual(
    desk.batches.map((batch) => batch.map(({ kind }) => kind)),
    [["message", "row"]],
  );
  await desk.answer();
  assert.deepEqual(told, ["old"]);
  desk.journal.remove(young);
  desk.endTick();
  assert.deepEqual(told, ["old", "young"]);
  desk.advance(100);
  assert.equal(desk.batches.length, 1);
});

test("a message of several epochs of one batch is stored for each, with the rows of each", () => {
  const desk = new Desk();
  const content = messageOf("kept for long");
  desk.journal.promise(change);
  desk.endTick();
  desk.row(1, false, content);
  desk.row(2, false, content);
  desk.endTick();
  desk.row(3, true, content);
  desk.endTick();
  return desk.answer().then(() => {
    const described = desk.batches[1].map((one) => {
      if (one.kind === "message") return `message ${one.message} for ${one.references}`;
      return one.kind === "row" ? `row of ${one.row.message}` : one.kind;
    });
    assert.deepEqual(described, [
      "message 1 for 2",
      "row of 1",
      "row of 1",
      "message 2 for 1",
      "row of 2",
    ]);
  });
});

test("who waits at the end of a tick is told at the end of another, and nothing is asked for in vain", async () => {
  const desk = new Desk();
  const told: string[] = [];
  desk.journal.wait({ committed: () => desk.wait("again", told) });
  desk.endTick();
  assert.ok(desk.isArmed);
  desk.endTick();
  assert.deepEqual(told, ["again"]);
  assert.equal(desk.isArmed, false);
  desk.journal.promise(change);
  desk.journal.wait({ committed: () => desk.wait("after a commit", told) });
  desk.endTick();
  const { ticks } = desk;
  assert.equal(desk.isArmed, false, "the answer comes when it comes");
  await desk.answer();
  desk.endTick();
  assert.deepEqual(told, ["again", "after a commit"]);
  assert.equal(desk.ticks, ticks + 1);
});

test("while what is not urgent waits to be called off, no tick is asked for: it is the timer that ends that", async () => {
  const desk = new Desk();
  const told: string[] = [];
  const row = desk.row(1);
  desk.wait("row", told);
  desk.endTick();
  assert.equal(desk.isArmed, false);
  desk.journal.remove(row);
  desk.endTick();
  assert.deepEqual(told, ["row"]);
  assert.equal(desk.isArmed, false);
});

test("a bug of one who is told keeps nobody else from being told, and writes nothing twice", async () => {
  const desk = new Desk();
  const told: string[] = [];
  const broken = {
    committed: () => {
      throw new Error("broken");
    },
  };
  desk.journal.wait(broken);
  desk.wait("one", told);
  desk.endTick();
  desk.journal.promise(change);
  desk.journal.wait(broken);
  desk.wait("two", told);
  desk.endTick();
  await desk.answer();
  assert.deepEqual(told, ["one", "two"]);
  assert.equal(desk.errors.length, 2);
  assert.equal(desk.journal.failure, undefined);
  desk.advance(5000);
  assert.equal(desk.batches.length, 1);
});

test("a batch that fails is tried again as it was, before anything else; a bug is told once", async () => {
  const desk = new Desk();
  const told: string[] = [];
  desk.journal.promise(change);
  desk.wait("first", told);
  desk.endTick();
  await desk.answer(new Error("a bug"));
  desk.journal.promise({ ...change, packetIdentifier: 2 });
  desk.wait("second", told);
  desk.endTick();
  for (let second = 0; second < 3; second++) {
    desk.advance(999);
    assert.equal(desk.batches.length, second + 1);
    desk.advance(1);
    assert.equal(desk.batches.length, second + 2);
    await desk.answer(new Error("a bug"));
  }
  assert.deepEqual(told, []);
  assert.equal(desk.errors.length, 2, "the bug, and what it means");
  assert.deepEqual(desk.batches.at(-1), desk.batches[0]);
  desk.advance(1000);
  await desk.answer();
  assert.deepEqual(told, ["first"]);
  await desk.answer();
  assert.deepEqual(told, ["first", "second"]);
});

test("the end waits for what is under way and for what is gathered; afterwards nothing is written", async () => {
  const desk = new Desk();
  desk.journal.promise(change);
  desk.endTick();
  desk.journal.note({ ...change, packetIdentifier: 2 });
  let isClosed = false;
  const closed = desk.journal.close().then(() => {
    isClosed = true;
  });
  await desk.answer();
  assert.equal(isClosed, false);
  assert.equal(desk.batches.length, 2);
  await desk.answer();
  await closed;
  desk.journal.promise(change);
  desk.endTick();
  assert.equal(desk.batches.length, 2);
  await desk.journal.close();
});

test("all who close it wait for the same end", async () => {
  const desk = new Desk();
  desk.journal.promise(change);
  desk.endTick();
  const ends = [desk.journal.close(), desk.journal.close()];
  await desk.answer();
  await Promise.all(ends);
  assert.ok(desk.journal.isClosed);
});

test("bytes count until they are written or called off", async () => {
  const desk = new Desk();
  desk.journal.retain("t", messageOf("x".repeat(1000)), true);
  desk.journal.retain("t", messageOf("x".repeat(10)), true);
  const row = desk.row(1, true, messageOf("x".repeat(2000)));
  const all = desk.journal.unsyncedBytes;
  assert.ok(all >= 2000 && all < 4500, `${all}`);
  desk.journal.remove(row);
  assert.ok(desk.journal.unsyncedBytes < all - 1999);
  desk.endTick();
  assert.ok(desk.journal.unsyncedBytes > 0);
  await desk.answer();
  assert.equal(desk.journal.unsyncedBytes, 0);
});
