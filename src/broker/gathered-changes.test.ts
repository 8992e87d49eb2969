/** What is handed over: in order, each message once and before its rows, without what was called off or replaced. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { GatheredChanges, type TrimmedQueue } from "./gathered-changes.ts";
import { Message, type StoredCopy } from "./message.ts";
import { PendingRow } from "./pending-row.ts";
import type { StorageChange } from "./storage-port.ts";

function message(payload: string): Message {
  return Message.create(
    { topic: "t", qos: 1, retain: false, publisher: "", expiresAt: Infinity },
    { properties: Buffer.alloc(0), expiryOffset: -1, payload: Buffer.from(payload) },
  );
}

function row(position: number, content: Message, copy: StoredCopy): PendingRow {
  const place = { queue: 1, position, packetIdentifier: 0, qos: 1, retain: false } as const;
  const made = new PendingRow({ ...place, subscriptionIdentifiers: [] }, content);
  made.copy = copy;
  made.message = copy.number;
  return made;
}

function copy(number: number): StoredCopy {
  return { epoch: 1, number, references: 0 };
}

const released: StorageChange = { kind: "released", queue: 1, packetIdentifier: 1 };
const shared: StorageChange = { kind: "shared", queue: 2, group: "g", filter: "t" };

function describe(changes: readonly StorageChange[]): string[] {
  return changes.map((change) => {
    if (change.kind === "message") return `message ${change.message} x${change.references}`;
    return change.kind === "row" ? `row ${change.row.position}` : change.kind;
  });
}

test("a message comes once, before its first row that is written", () => {
  const gathered = new GatheredChanges();
  const content = message("x");
  const both = copy(7);
  const [first, second, third] = [1, 2, 3].map((position) => row(position, content, both));
  for (const one of [first, second, third]) gathered.addRow(one);
  gathered.add(released);
  gathered.cancel(first);
  assert.equal(
    first.content,
    undefined,
    "what is called off holds no message while it waits to be taken",
  );
  assert.deepEqual(describe(gathered.takeAll().changes), [
    "message 7 x2",
    "row 2",
    "row 3",
    "released",
  ]);
  assert.equal(second.isGathered, false);
  assert.deepEqual([gathered.isEmpty, gathered.bytes, gathered.isUrgent], [true, 0, false]);
});

test("what has a queue comes before all rows", () => {
  const gathered = new GatheredChanges();
  gathered.addRow(row(1, message("x"), copy(1)));
  gathered.add(shared);
  assert.deepEqual(describe(gathered.takeAll().changes), ["shared", "message 1 x1", "row 1"]);
});

test("of a topic the last retained message is written, or its end", () => {
  const gathered = new GatheredChanges();
  gathered.retain("a", message("old"));
  gathered.retain("b", message("stays"));
  gathered.retain("a", message("new"));
  gathered.retain("b", undefined);
  const { changes, bytes } = gathered.takeAll();
  assert.deepEqual(describe(changes), ["retained", "retainedDeleted"]);
  const [first] = changes;
  assert.ok(first.kind === "retained" && Buffer.from(first.content.bytes).toString() === "tnew");
  assert.ok(bytes > 0);
  gathered.retain("a", message("next batch"));
  assert.equal(gathered.takeAll().changes.length, 1);
});

test("the epochs that ended by a time are taken alone, unless something is urgent", () => {
  const gathered = new GatheredChanges();
  gathered.addRow(row(1, message("old"), copy(1)));
  gathered.endEpoch(1, 100);
  gathered.endEpoch(2, 101);
  gathered.addRow(row(2, message("young"), copy(2)));
  gathered.endEpoch(3, 110);
  assert.equal(gathered.firstAt, 100);
  assert.equal(gathered.takeUntil(99), undefined);
  gathered.isUrgent = true;
  assert.equal(gathered.takeUntil(105), undefined);
  gathered.isUrgent = false;
  const taken = gathered.takeUntil(105);
  assert.deepEqual(describe(taken?.changes ?? []), ["message 1 x1", "row 1"]);
  assert.equal(taken?.epoch, 1);
  assert.equal(gathered.firstAt, 110);
  assert.deepEqual(describe(gathered.takeUntil(110)?.changes ?? []), ["message 2 x1", "row 2"]);
  assert.deepEqual([gathered.isEmpty, gathered.bytes], [true, 0]);
});

test("a queue is cut back once, behind everything else, unless it has ended", () => {
  const gathered = new GatheredChanges();
  const queueOf = (queue: number): TrimmedQueue => ({
    queue,
    trimChange: () => ({
      kind: "trimmed",
      queue,
      now: 0,
      messagesMax: 1,
      bytesMax: 1,
      drop: "oldest",
    }),
    trimmed: () => undefined,
  });
  const [stays, ends] = [queueOf(1), queueOf(2)];
  gathered.trim(stays);
  gathered.trim(ends);
  gathered.trim(stays);
  gathered.forgetTrim(ends);
  gathered.add(released);
  const { changes, trims } = gathered.takeAll();
  assert.deepEqual(describe(changes), ["released", "trimmed"]);
  assert.deepEqual(trims, [stays]);
  assert.ok(gathered.isEmpty);
});
