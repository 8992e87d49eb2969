/** Read once, by the first who asks; whoever asks meanwhile waits for the same; a failure is forgotten. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Session } from "./session.ts";
import type { Storage, StoredDelivery } from "./storage-port.ts";
import { UnderWayReader } from "./under-way-reader.ts";

class Shelf {
  reads: PromiseWithResolvers<readonly StoredDelivery[]>[] = [];
  restored = 0;
  readonly session = {
    stored: 1,
    flights: { restore: () => this.restored++ },
  } as unknown as Session;
  readonly reader = new UnderWayReader({
    readUnderWay: () => {
      const read = Promise.withResolvers<readonly StoredDelivery[]>();
      this.reads.push(read);
      return read.promise;
    },
  } as unknown as Storage);
}

test("who was not there before the restart has nothing under way", async () => {
  const shelf = new Shelf();
  await shelf.reader.readUnderWay(undefined);
  await shelf.reader.readUnderWay(shelf.session);
  assert.equal(shelf.reads.length, 0);
});

test("two who ask wait for one answer, and a third needs none", async () => {
  const shelf = new Shelf();
  shelf.reader.mayBeUnderWay(shelf.session);
  const both = [shelf.reader.readUnderWay(shelf.session), shelf.reader.readUnderWay(shelf.session)];
  assert.equal(shelf.reads.length, 1);
  shelf.reads[0].resolve([]);
  await Promise.all(both);
  await shelf.reader.readUnderWay(shelf.session);
  assert.deepEqual([shelf.reads.length, shelf.restored], [1, 1]);
});

test("after a failure the next asks again", async () => {
  const shelf = new Shelf();
  shelf.reader.mayBeUnderWay(shelf.session);
  const first = shelf.reader.readUnderWay(shelf.session);
  shelf.reads[0].reject(new Error("a bad day"));
  await assert.rejects(first, /a bad day/);
  const second = shelf.reader.readUnderWay(shelf.session);
  shelf.reads[1].resolve([]);
  await second;
  assert.equal(shelf.restored, 1);
});

test("a session that ended meanwhile gets nothing", async () => {
  const shelf = new Shelf();
  shelf.reader.mayBeUnderWay(shelf.session);
  const asked = shelf.reader.readUnderWay(shelf.session);
  shelf.reader.forget(shelf.session);
  shelf.reads[0].resolve([]);
  await asked;
  assert.equal(shelf.restored, 0);
});
