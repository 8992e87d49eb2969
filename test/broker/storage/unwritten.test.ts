/** What every session has acknowledged before its batch is handed over is never written, and its publisher hears of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemoryClient } from "../memory-client.ts";
import { answers, StoredBroker, say } from "./stored-broker.ts";

/** The packet identifier of the last message. */
function last({ publishes }: MemoryClient): number {
  return publishes.at(-1)?.packetIdentifier ?? 0;
}

test("what is acknowledged at once is never written, and needs no commit", async () => {
  const broker = new StoredBroker();
  const subscriber = await broker.keepingSubscriber("sub", "t");
  const publisher = await broker.connect("pub");
  await broker.rest();
  const before = broker.storage.batches.length;
  for (let count = 1; count <= 3; count++) {
    publisher.publish("t", `${count}`, { qos: 1 });
    await broker.settle();
    assert.equal(answers(publisher).length, count - 1, "it is not safe before it is acknowledged");
    say(subscriber, "puback", last(subscriber));
    await broker.settle();
    assert.equal(answers(publisher).length, count);
  }
  await broker.rest();
  assert.equal(broker.storage.batches.length, before);
  assert.equal(broker.core.journal.rowsCancelled, 3);
});

test("of two sessions the slow one alone is written, and the publisher waits for that", async () => {
  const broker = new StoredBroker();
  const quick = await broker.keepingSubscriber("quick", "t");
  const slow = await broker.keepingSubscriber("slow", "t");
  const publisher = await broker.connect("pub");
  await broker.rest();
  broker.storage.batches.length = 0;
  publisher.publish("t", "a", { qos: 1 });
  await broker.settle();
  say(quick, "puback", last(quick));
  await broker.settle();
  assert.deepEqual(answers(publisher), []);
  broker.clock.advance(25);
  await broker.settle();
  assert.deepEqual(answers(publisher), ["puback 1"]);
  const [message] = broker.storage.handedOver("message");
  assert.deepEqual(message.kind === "message" && message.references, 1);
  assert.deepEqual(
    broker.storage.handedOver().map(({ kind }) => kind),
    ["message", "row"],
  );
  assert.equal(broker.storage.waiting(broker.session("quick").stored).length, 0);
  say(slow, "puback", last(slow));
  await broker.rest();
  assert.equal(broker.storage.kept.messageLast, 0, "with its last row the message goes");
});

test("two sessions have one copy of a message", async () => {
  const broker = new StoredBroker();
  await broker.absentee("one", "t");
  await broker.absentee("two", "t");
  broker.storage.batches.length = 0;
  broker.publish("t", "a", 1);
  await broker.rest();
  const [message, ...others] = broker.storage.handedOver("message");
  assert.equal(message.kind === "message" && message.references, 2);
  assert.deepEqual(others, []);
});

test("acknowledged while the batch before it is under way, it is not written, and safe when that one is", async () => {
  const broker = new StoredBroker();
  const subscriber = await broker.keepingSubscriber("sub", "t");
  await broker.absentee("absent", "other");
  const publisher = await broker.connect("pub");
  await broker.rest();
  broker.storage.batches.length = 0;
  broker.storage.isHolding = true;
  publisher.publish("other", "kept", { qos: 1 });
  await broker.settle();
  assert.ok(broker.storage.isUnderWay);
  publisher.publish("t", "a", { qos: 1 });
  await broker.settle();
  say(subscriber, "puback", last(subscriber));
  await broker.rest();
  assert.deepEqual(answers(publisher), []);
  broker.storage.answer();
  await broker.rest();
  assert.deepEqual(answers(publisher), ["puback 1", "puback 2"]);
  assert.equal(broker.storage.batches.length, 1);
});

test("acknowledged after it was handed over, it is written and taken away again", async () => {
  const broker = new StoredBroker();
  const subscriber = await broker.keepingSubscriber("sub", "t");
  const publisher = await broker.connect("pub");
  broker.storage.isHolding = true;
  publisher.publish("t", "a", { qos: 1 });
  await broker.rest();
  assert.ok(broker.storage.isUnderWay);
  say(subscriber, "puback", last(subscriber));
  await broker.rest();
  broker.storage.letGo();
  await broker.rest();
  assert.deepEqual(answers(publisher), ["puback 1"]);
  assert.equal(broker.storage.kept.messageLast, 0);
  assert.deepEqual(broker.storage.underWay(broker.session("sub").stored), []);
});

test("a batch that may yet cancel out waits as long as the last commit took, from 1 to 20 ms", async () => {
  for (const { commit, patience } of [
    { commit: 0, patience: 1 },
    { commit: 7, patience: 7 },
    { commit: 500, patience: 20 },
  ]) {
    const broker = new StoredBroker();
    const subscriber = await broker.keepingSubscriber("sub", "t");
    await broker.absentee("absent", "urgent");
    const publisher = await broker.connect("pub");
    await broker.rest();
    broker.storage.isHolding = true;
    publisher.publish("urgent", "x", { qos: 1 });
    await broker.settle();
    assert.ok(broker.storage.isUnderWay, "what waits for nobody's answer is written at once");
    broker.clock.advance(commit);
    broker.storage.letGo();
    await broker.settle();
    assert.equal(broker.core.journal.commitMilliseconds, commit);
    broker.storage.batches.length = 0;
    publisher.publish("t", "a", { qos: 1 });
    await broker.settle();
    broker.clock.advance(patience - 1);
    await broker.settle();
    assert.equal(broker.storage.batches.length, 0, `${patience} ms are not over`);
    broker.clock.advance(1);
    await broker.settle();
    assert.equal(broker.storage.batches.length, 1, `${patience} ms are over`);
    assert.equal(subscriber.payloads.length, 1);
  }
});

test("a steady stream that is acknowledged in time is never written, however long it lasts", async () => {
  const broker = new StoredBroker();
  const subscriber = await broker.keepingSubscriber("sub", "t");
  const publisher = await broker.connect("pub");
  await broker.rest();
  broker.storage.isHolding = true;
  publisher.publish("slow", "x", { qos: 1, retain: true });
  await broker.settle();
  broker.clock.advance(7);
  broker.storage.letGo();
  await broker.rest();
  const before = broker.storage.batches.length;
  for (let count = 0; count < 100; count++) {
    publisher.publish("t", `${count}`, { qos: 1 });
    publisher.publish("t", `${count}`, { qos: 1 });
    await broker.settle();
    broker.clock.advance(1);
    await broker.settle();
    const [first, second] = subscriber.publishes.slice(-2);
    say(subscriber, "puback", first.packetIdentifier ?? 0);
    say(subscriber, "puback", second.packetIdentifier ?? 0);
  }
  await broker.rest();
  assert.equal(answers(publisher).length, 201);
  assert.equal(broker.storage.batches.length, before);
});

test("what is called off leaves others in place: sixty messages, every third acknowledged", async () => {
  const broker = new StoredBroker();
  const subscriber = await broker.keepingSubscriber("sub", "t");
  const publisher = await broker.connect("pub");
  await broker.rest();
  for (let count = 0; count < 60; count++) publisher.publish("t", `${count}`, { qos: 1 });
  await broker.settle();
  for (const { packetIdentifier = 0 } of subscriber.publishes)
    if (packetIdentifier % 3 === 0) say(subscriber, "puback", packetIdentifier);
  await broker.rest();
  assert.equal(answers(publisher).length, 60);
  const rows = broker.storage.underWay(broker.session("sub").stored);
  assert.deepEqual(
    rows.map(({ packetIdentifier }) => packetIdentifier),
    Array.from({ length: 60 }, (_, index) => index + 1).filter((number) => number % 3 !== 0),
  );
});

test("what waited for its turn, was sent and acknowledged while the storage was busy, is not written either", async () => {
  for (const receiveMaximum of [1, 2]) {
    const broker = new StoredBroker();
    const subscriber = await broker.keepingSubscriber("sub", "t", {
      properties: { receiveMaximum },
    });
    await broker.absentee("absent", "other");
    broker.storage.batches.length = 0;
    broker.storage.isHolding = true;
    broker.publish("other", "x", 1);
    await broker.settle();
    assert.ok(broker.storage.isUnderWay);
    for (let count = 1; count <= 5; count++) broker.publish("t", `${count}`, 1);
    for (let count = 1; count <= 5; count++) {
      await broker.settle();
      say(subscriber, "puback", count);
    }
    broker.storage.letGo();
    await broker.rest();
    assert.deepEqual(subscriber.payloads, ["1", "2", "3", "4", "5"]);
    assert.equal(broker.storage.batches.length, 1);
    assert.equal(broker.core.journal.rowsCancelled, 5);
  }
});
