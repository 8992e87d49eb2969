/** The limits of stored queues, wherever their messages are: what goes is counted, and the counts are those of the storage. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemoryClient } from "../memory-client.ts";
import { kept, StoredBroker, say } from "./stored-broker.ts";
import { TestStorage } from "./test-storage.ts";

type Drop = "newest" | "oldest";
const drops: readonly Drop[] = ["newest", "oldest"];

function limited(queueDrop: Drop, limits = {}): StoredBroker {
  return new StoredBroker(new TestStorage(), {
    queueDrop,
    limits: { queueMessagesMax: 5, ...limits },
  });
}

function publish(broker: StoredBroker, from: number, until: number): void {
  for (let number = from; number < until; number++) broker.publish("t", `${number}`, 1);
}

function expiring(publisher: MemoryClient, payload: string, seconds: number): void {
  const properties = { messageExpiryInterval: seconds };
  publisher.publish("t", payload, { qos: 1, properties });
}

/** Takes what waits for `sub`, message by message. */
async function drain(broker: StoredBroker): Promise<string[]> {
  const client = await broker.keeper("sub", { properties: { receiveMaximum: 1 } });
  for (let count = 0; ; count++) {
    await broker.rest();
    const packet = client.publishes[count];
    if (packet === undefined) break;
    say(client, "puback", packet.packetIdentifier ?? 0);
  }
  return client.payloads;
}

for (const drop of drops) {
  const remaining = drop === "newest" ? ["0", "1", "2", "3", "4"] : ["3", "4", "5", "6", "7"];

  test(`queueMessagesMax, ${drop}: in the storage alone`, async () => {
    const broker = limited(drop);
    await broker.absentee("sub", "t");
    for (let number = 0; number < 8; number++) {
      publish(broker, number, number + 1);
      await broker.rest();
      broker.expectSameCounts("sub");
    }
    assert.equal(broker.core.counters.dropped.queueFull, 3);
    assert.deepEqual(await drain(broker), remaining);
    assert.equal(broker.storage.kept.messageLast, 0);
  });

  test(`queueMessagesMax, ${drop}: many at once, while the storage is slow`, async () => {
    const broker = limited(drop);
    await broker.absentee("sub", "t");
    broker.storage.isHolding = true;
    for (let number = 0; number < 8; number++) {
      publish(broker, number, number + 1);
      if (number % 3 === 0) await broker.settle();
    }
    await broker.rest();
    while (broker.storage.isUnderWay) {
      broker.storage.answer();
      await broker.rest();
    }
    broker.storage.letGo();
    await broker.rest();
    broker.expectSameCounts("sub");
    assert.equal(broker.session("sub").queuedMessages, 5, "the limit holds when all is written");
    assert.equal(broker.core.counters.dropped.queueFull, 3);
    assert.deepEqual(await drain(broker), remaining);
  });

  test(`queueMessagesMax, ${drop}: of a client that is connected and does not answer`, async () => {
    const broker = limited(drop);
    const client = await broker.keepingSubscriber("sub", "t", {
      properties: { receiveMaximum: 1 },
    });
    broker.publish("t", "under way", 1);
    publish(broker, 0, 4);
    await broker.rest();
    publish(broker, 4, 8);
    await broker.rest();
    broker.expectSameCounts("sub");
    assert.equal(broker.core.counters.dropped.queueFull, 3);
    say(client, "puback", 1);
    await broker.rest();
    client.lose();
    await broker.rest();
    assert.deepEqual(await drain(broker), remaining);
  });

  test(`queueMessagesMax, ${drop}: the first in memory, the others in the storage alone`, async () => {
    const broker = limited(drop, { queueMessagesMax: 1500 });
    await broker.absentee("sub", "t");
    publish(broker, 0, 1400);
    await broker.rest();
    const client = await broker.keeper("sub", { properties: { receiveMaximum: 1 } });
    publish(broker, 1400, 1600);
    await broker.rest();
    broker.expectSameCounts("sub");
    const { queuedMessages } = broker.session("sub");
    assert.equal(queuedMessages, 1500);
    assert.equal(broker.core.counters.dropped.queueFull, 99);
    client.lose();
    await broker.rest();
    const all = await drain(broker);
    const first = drop === "newest" ? 0 : 100;
    const expected = Array.from({ length: 1500 }, (_, index) => `${first + index}`);
    if (drop === "oldest") expected.unshift("0");
    else expected.push("1500");
    assert.deepEqual(all, expected);
    assert.equal(broker.storage.kept.messageLast, 0);
  });

  test(`queueBytesMax, ${drop}: in the storage, one may always wait`, async () => {
    const broker = limited(drop, { queueMessagesMax: 1000, queueBytesMax: 301 });
    await broker.absentee("sub", "t");
    for (const letter of ["a", "b", "c", "d"]) broker.publish("t", letter.repeat(99), 1);
    await broker.rest();
    broker.expectSameCounts("sub");
    assert.equal(broker.session("sub").queuedMessages, 3);
    broker.publish("t", "e".repeat(500), 1);
    await broker.rest();
    broker.expectSameCounts("sub");
    const lasting = drop === "newest" ? ["a", "b", "c"] : ["e"];
    assert.deepEqual(
      (await drain(broker)).map((payload) => payload.charAt(0)),
      lasting,
    );
  });

  test(`${drop}: what has expired makes room, in the storage`, async () => {
    const broker = limited(drop);
    await broker.absentee("sub", "t");
    const publisher = await broker.connect("pub");
    for (let number = 0; number < 5; number++) {
      if (number % 2 === 0) expiring(publisher, `${number}`, 10);
      else publisher.publish("t", `${number}`, { qos: 1 });
    }
    await broker.rest();
    broker.clock.advanceSeconds(11);
    publish(broker, 5, 8);
    await broker.rest();
    broker.expectSameCounts("sub");
    const { expired, queueFull } = broker.core.counters.dropped;
    assert.deepEqual({ expired, queueFull }, { expired: 3, queueFull: 0 });
    assert.deepEqual(await drain(broker), ["1", "3", "5", "6", "7"]);
  });

  test(`${drop}: what has expired makes room, in memory, and is not read again`, async () => {
    const broker = limited(drop);
    const client = await broker.keepingSubscriber("sub", "t", {
      properties: { receiveMaximum: 1 },
    });
    const publisher = await broker.connect("pub");
    publisher.publish("t", "under way", { qos: 1 });
    for (let number = 0; number < 5; number++) {
      if (number % 2 === 0) expiring(publisher, `${number}`, 10);
      else publisher.publish("t", `${number}`, { qos: 1 });
    }
    await broker.rest();
    broker.clock.advanceSeconds(11);
    broker.storage.isHolding = true;
    publish(broker, 5, 8);
    await broker.settle();
    client.lose();
    await broker.settle();
    const again = broker.open();
    again.connect("sub", kept());
    await broker.settle();
    broker.storage.letGo();
    await broker.rest();
    broker.expectErrors(0);
    assert.deepEqual(
      broker.lines.filter(({ level }) => level === "error"),
      [],
    );
    const { expired, queueFull } = broker.core.counters.dropped;
    assert.deepEqual({ expired, queueFull }, { expired: 3, queueFull: 0 });
    assert.deepEqual(again.payloads, ["under way", "1", "3", "5", "6", "7"]);
    broker.expectSameCounts("sub");
  });

  test(`${drop}: a session that ends while its queue is cut back`, async () => {
    for (const isUnderWay of [false, true]) {
      const broker = limited(drop, { queueMessagesMax: 2 });
      await broker.absentee("sub", "t");
      await broker.absentee("other", "other");
      const publisher = await broker.connect("pub");
      expiring(publisher, "0", 1);
      expiring(publisher, "1", 1);
      await broker.rest();
      broker.clock.advanceSeconds(2);
      broker.storage.isHolding = true;
      if (!isUnderWay) broker.publish("other", "x", 1);
      await broker.rest();
      publish(broker, 2, 4);
      await broker.rest();
      assert.ok(broker.storage.isUnderWay);
      const client = broker.open();
      client.connect("sub");
      await broker.settle();
      broker.storage.letGo();
      await broker.rest();
      assert.deepEqual(
        broker.lines.filter(({ level }) => level === "error"),
        [],
      );
      assert.equal(client.packets.length, 1);
      assert.ok(broker.core.journal.isIdle);
      assert.equal(broker.core.counters.droppedTotal, 4, "each is counted once");
      assert.equal(broker.storage.kept.sessions.length, 1);
    }
  });
}

test("oldest: while the storage is asked to cut a queue back, its client may come back", async () => {
  const broker = limited("oldest");
  await broker.absentee("sub", "t");
  publish(broker, 0, 5);
  await broker.rest();
  broker.storage.isHolding = true;
  publish(broker, 5, 7);
  const client = broker.open();
  client.connect("sub", kept());
  await broker.rest();
  publish(broker, 7, 8);
  await broker.rest();
  broker.storage.letGo();
  await broker.rest();
  assert.deepEqual(client.payloads, ["3", "4", "5", "6", "7"].slice(-client.payloads.length));
  assert.ok(client.payloads.length >= 4 && client.payloads.length <= 6);
  broker.expectSameCounts("sub");
});

test("newest: the storage is not searched for what has expired with each message that finds no room", async () => {
  const broker = limited("newest");
  await broker.absentee("sub", "t");
  const publisher = await broker.connect("pub");
  for (let number = 0; number < 5; number++)
    expiring(publisher, `${number}`, number === 0 ? 1 : 100);
  await broker.rest();
  broker.clock.advanceSeconds(2);
  for (let number = 0; number < 50; number++) {
    publish(broker, number, number + 1);
    await broker.settle();
  }
  assert.ok(broker.storage.handedOver("trimmed").length <= 2);
  await broker.rest();
  broker.expectSameCounts("sub");
  assert.equal(broker.session("sub").queuedMessages, 5);
});

test("sharedQueueBytesMax: what waits in all groups together", async () => {
  for (const drop of drops) {
    const broker = limited(drop, { queueMessagesMax: 1000, sharedQueueBytesMax: 1000 });
    await broker.absentee("one", "$share/g/t");
    await broker.absentee("two", "$share/h/t");
    for (let number = 0; number < 10; number++) broker.publish("t", "x".repeat(99), 1);
    await broker.rest();
    const rows = broker.storage.kept.shared.map(({ queue }) => broker.storage.waiting(queue));
    assert.equal(rows.flat().length, 5, "200 bytes each");
    assert.equal(broker.core.counters.dropped.queueFull, 15);
    const one = await broker.keeper("one");
    const two = await broker.keeper("two");
    await broker.rest();
    assert.equal(one.payloads.length + two.payloads.length, 5);
    for (const client of [one, two])
      client.acknowledge(...client.publishes.map((p) => p.packetIdentifier ?? 0));
    await broker.rest();
    assert.equal(broker.storage.kept.messageLast, 0);
  }
});

test("a group's queue is full while it is read: what is under way at a member is not what goes", async () => {
  for (const drop of drops) {
    const before = limited(drop, { queueMessagesMax: 2000 });
    await before.absentee("absent", "$share/g/t");
    publish(before, 0, 2000);
    await before.rest();
    const after = await before.restart(0, { queueDrop: drop });
    after.storage.isHoldingReads = true;
    const member = await after.connect("member");
    member.subscribe("$share/g/t", 1);
    await after.rest();
    const first = member.payloads.length;
    assert.ok(first > 100, `${first}`);
    publish(after, 2000, 5000);
    await after.rest();
    assert.ok(after.storage.readsUnderWay > 0, "the rest is being read");
    for (let round = 0; round < 40; round++) {
      const { publishes } = member;
      member.acknowledge(...publishes.splice(0).map((packet) => packet.packetIdentifier ?? 0));
      member.packets.length = 0;
      after.storage.answerReads();
      await after.rest();
    }
    assert.deepEqual(
      after.lines.filter(({ level }) => level === "error"),
      [],
    );
    const [{ queue }] = after.storage.kept.shared;
    assert.deepEqual(after.storage.waiting(queue), []);
    assert.equal(after.storage.kept.messageLast, 0);
  }
});

test("what has expired goes, also where the new message finds no room for all that, and is not read again", async () => {
  const broker = limited("newest", { queueBytesMax: 100 });
  const client = await broker.keepingSubscriber("sub", "t", { properties: { receiveMaximum: 1 } });
  const publisher = await broker.connect("pub");
  publisher.publish("t", "under way", { qos: 1 });
  expiring(publisher, "a".repeat(30), 10);
  publisher.publish("t", "b".repeat(30), { qos: 1 });
  await broker.rest();
  broker.clock.advanceSeconds(11);
  broker.storage.isHolding = true;
  publisher.publish("t", "c".repeat(80), { qos: 1 });
  await broker.settle();
  client.lose();
  const again = broker.open();
  again.connect("sub", kept());
  await broker.settle();
  broker.storage.letGo();
  await broker.rest();
  const faults = broker.lines.filter(({ level }) => level === "error");
  assert.deepEqual(faults, []);
  assert.deepEqual(again.payloads, ["under way", "b".repeat(30)]);
  const { expired, queueFull } = broker.core.counters.dropped;
  assert.deepEqual({ expired, queueFull }, { expired: 1, queueFull: 1 });
});

test("oldest: a page that was read while the queue was cut back is read anew", async () => {
  const broker = limited("oldest");
  await broker.absentee("sub", "t");
  publish(broker, 0, 5);
  await broker.rest();
  broker.storage.isHoldingReads = true;
  const client = await broker.keeper("sub");
  assert.equal(broker.storage.readsUnderWay, 1);
  publish(broker, 5, 7);
  await broker.rest();
  broker.storage.letGo();
  await broker.rest();
  const faults = broker.lines.filter(({ level }) => level === "error");
  assert.deepEqual(faults, []);
  assert.deepEqual(client.payloads, ["2", "3", "4", "5", "6"]);
  broker.expectSameCounts("sub");
});
