/** What happens inside the broker's own calls: handlers that act on the broker, transports that break in a write. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PacketType } from "../../src/codec/index.ts";
import { MemoryClient } from "./memory-client.ts";
import { TestBroker } from "./test-broker.ts";

const large = "x".repeat(70_000);
const textOf = ({ payload }: { payload: Uint8Array }): string => Buffer.from(payload).toString();

test("a handler that publishes: every subscriber sees the same order", async () => {
  const broker = new TestBroker();
  const client = await broker.subscriber("client", "#", 1);
  const first: string[] = [];
  const last: string[] = [];
  broker.core.subscribe("#", (message) => {
    first.push(textOf(message));
    if (message.topic === "question") broker.publish("answer", `answer to ${textOf(message)}`, 1);
  });
  broker.core.subscribe("#", (message) => last.push(textOf(message)));
  const publisher = await broker.connect("publisher");
  publisher.send(
    publisher.publishPacket("question", "1"),
    publisher.publishPacket("question", "2"),
    publisher.publishPacket("question", "3", { qos: 1 }),
  );
  await broker.settle();
  const expected = ["1", "answer to 1", "2", "answer to 2", "3", "answer to 3"];
  for (const seen of [first, last, client.payloads])
    assert.deepEqual([...seen].sort(), [...expected].sort());
  assert.deepEqual(last, first);
  assert.deepEqual(
    client.payloads.filter((payload) => payload.startsWith("answer")),
    expected.filter((payload) => payload.startsWith("answer")),
  );
  broker.expectErrors(0);
});

test("a handler that answers itself for ever is stopped and logged, and the broker goes on", async () => {
  const broker = new TestBroker();
  let count = 0;
  broker.core.subscribe("echo", () => {
    count++;
    broker.publish("echo", "again");
  });
  broker.publish("echo", "begin");
  assert.ok(count > 100 && count < 10_000, `${count} rounds`);
  broker.expectErrors(1);
  count = 0;
  broker.publish("other", "");
  const client = await broker.subscriber("client", "other");
  broker.publish("other", "fine");
  await broker.settle();
  assert.deepEqual(client.payloads, ["fine"]);
});

test("a handler that subscribes another: the message is not for it, the next one is", () => {
  const broker = new TestBroker();
  const seen: string[] = [];
  const end = broker.core.subscribe("t", () => {
    end();
    broker.core.subscribe("t", (message) => seen.push(textOf(message)));
  });
  broker.publish("t", "1");
  broker.publish("t", "2");
  assert.deepEqual(seen, ["2"]);
});

test("a handler that unsubscribes another: it is not called any more, not even for this message", () => {
  const broker = new TestBroker();
  const seen: string[] = [];
  let endOther = (): void => {};
  broker.core.subscribe("t", () => endOther());
  endOther = broker.core.subscribe("t", (message) => seen.push(textOf(message)));
  broker.publish("t", "1");
  endOther();
  broker.publish("t", "2");
  assert.deepEqual(seen, []);
});

test("what a handler publishes while it gets retained messages reaches it too", () => {
  const broker = new TestBroker();
  broker.publish("state/a", "old", 0, true);
  const seen: string[] = [];
  broker.core.subscribe("state/#", (message) => {
    seen.push(`${message.topic} ${textOf(message)}`);
    if (message.topic === "state/a") broker.publish("state/b", "new");
  });
  assert.deepEqual(seen, ["state/a old", "state/b new"]);
});

test("a handler that closes the broker: all are told, nothing is written after the end", async () => {
  const broker = new TestBroker();
  const client = await broker.subscriber("client", "t", 1);
  const publisher = await broker.connect("publisher");
  let closed: Promise<void> | undefined;
  broker.core.subscribe("t", () => {
    closed = broker.core.close();
  });
  publisher.send(
    publisher.publishPacket("t", "1", { qos: 1 }),
    publisher.publishPacket("t", "2", { qos: 1 }),
  );
  await broker.settle();
  assert.deepEqual(client.payloads, ["1"]);
  for (const one of [client, publisher]) {
    assert.equal(one.packetTypes.at(-1), PacketType.disconnect);
    assert.ok(one.isEnded);
    one.lose();
  }
  await closed;
  await broker.core.close();
  broker.expectErrors(0);
});

test("a listener of `connect` that closes the broker leaves no session behind", async () => {
  const broker = new TestBroker();
  broker.core.events.on("connect", () => void broker.core.close());
  const client = await broker.connect("client");
  assert.ok(client.isEnded);
  assert.equal(broker.core.connectionCount, 0);
  assert.equal(broker.core.sessions.size, 0);
  broker.expectErrors(0);
});

test("what a listener of `connect` publishes reaches the client that came back", async () => {
  const broker = new TestBroker();
  const properties = { sessionExpiryInterval: 100 };
  const before = await broker.connect("client", { properties });
  before.subscribe("greeting", 0);
  await broker.settle();
  before.lose();
  broker.core.events.on("connect", () => broker.publish("greeting", "hello"));
  const client = await broker.connect("client", { cleanStart: false, properties });
  assert.deepEqual(client.payloads, ["hello"]);
});

for (const qos of [0, 1, 2] as const) {
  test(`QoS ${qos}: a transport that breaks in a write ends its client alone, and its will is right`, async () => {
    const broker = new TestBroker();
    const breaking = await broker.connect("breaking", {
      will: { topic: "will", payload: Buffer.from("gone"), qos, retain: false, properties: {} },
    });
    breaking.subscribe("t", qos);
    await broker.settle();
    const others = [
      await broker.subscriber("before", "#", qos),
      await broker.subscriber("other", "t", qos),
      await broker.subscriber("watching", "#", qos),
    ];
    const publisher = await broker.connect("publisher");
    breaking.onWrite = () => breaking.lose();
    publisher.publish("t", large, { qos });
    publisher.publish("t", "small", { qos });
    await broker.settle();
    const seenByAll = [large, "gone", "small"];
    assert.deepEqual([...others[0].payloads].sort(), [...seenByAll].sort());
    assert.deepEqual(others[2].payloads, others[0].payloads);
    assert.deepEqual(others[1].payloads, [large, "small"]);
    assert.equal(broker.core.connectionCount, 4);
    broker.expectErrors(0);
  });
}

test("a session whose transport breaks while it is pumped keeps what was not sent, and does not call it sent again", async () => {
  const broker = new TestBroker({ limits: { inFlightMessagesMax: 50 } });
  const properties = { sessionExpiryInterval: 100 };
  const before = await broker.connect("client", { properties });
  before.subscribe("t", 1);
  await broker.settle();
  before.lose();
  for (let number = 0; number < 20; number++) broker.publish("t", `${number} ${large}`, 1);
  await broker.settle(); // they are stored, so that they can be read at once
  const events: string[] = [];
  broker.core.events.on("connect", () => events.push("connect"));
  broker.core.events.on("disconnect", () => events.push("disconnect"));
  const breaking = new MemoryClient(broker);
  breaking.onWrite = () => {
    if (breaking.publishes.length > 0 && !breaking.isLost) breaking.lose();
  };
  breaking.connect("client", { cleanStart: false, properties });
  await broker.settle();
  assert.deepEqual(events, [], "who was never reached is not announced");
  const sent = breaking.payloads.length;
  assert.ok(sent > 0 && sent < 20, `${sent} were sent`);
  const client = await broker.connect("client", { cleanStart: false, properties });
  await broker.settle();
  const numbers = client.payloads.map((payload) => Number.parseInt(payload, 10));
  assert.deepEqual(numbers, [...numbers.keys()]);
  assert.equal(numbers.length, 20);
  for (const [index, { dup }] of client.publishes.entries()) {
    assert.equal(dup, index < sent, `DUP of message ${index}, of which ${sent} had been sent`);
  }
  broker.expectErrors(0);
});

test("a peer that answers before the write has returned is served in order", async () => {
  const broker = new TestBroker();
  const properties = { sessionExpiryInterval: 100, receiveMaximum: 3 };
  const before = await broker.connect("client", { properties });
  before.subscribe("t", 1);
  await broker.settle();
  before.lose();
  for (let number = 0; number < 30; number++) broker.publish("t", `${number} ${large}`, 1);
  const client = new MemoryClient(broker);
  let answered = 0;
  client.onWrite = () => {
    const { publishes } = client;
    while (answered < publishes.length) {
      const { packetIdentifier } = publishes[answered++];
      client.acknowledge(packetIdentifier ?? 0);
    }
  };
  client.connect("client", { cleanStart: false, properties });
  for (let round = 0; round < 10; round++) await broker.settle();
  const numbers = client.payloads.map((payload) => Number.parseInt(payload, 10));
  assert.deepEqual(
    numbers,
    Array.from({ length: 30 }, (_, index) => index),
  );
  broker.expectErrors(0);
});

test("a message that is caused by a write in the middle of a delivery does not disturb it", async () => {
  const broker = new TestBroker();
  const bridge = await broker.subscriber("bridge", "t");
  const others = [await broker.subscriber("one", "#"), await broker.subscriber("two", "#")];
  const publisher = await broker.connect("publisher");
  bridge.onWrite = () => {
    bridge.onWrite = undefined;
    for (const payload of ["first", "second", "third"]) bridge.publish("bridged", payload);
  };
  publisher.publish("t", large);
  publisher.publish("t", "after", { properties: { contentType: "text" } });
  await broker.settle();
  for (const other of others) {
    assert.deepEqual(other.payloads, [large, "first", "second", "third", "after"]);
    assert.deepEqual(
      other.publishes.map(({ topic }) => topic),
      ["t", "bridged", "bridged", "bridged", "t"],
    );
  }
  broker.expectErrors(0);
});

test("the end that the broker decided on is told, though the transport breaks in its last write", async () => {
  const broker = new TestBroker();
  const endings: string[] = [];
  broker.core.events.on("disconnect", ({ ending }) =>
    endings.push(`${ending.by} ${ending.reasonCode}`),
  );
  const client = await broker.connect("client");
  client.onWrite = () => client.lose();
  client.connect("client"); // the second
  await broker.settle();
  assert.deepEqual(endings, ["broker 130"]);
  assert.equal(broker.core.connectionCount, 0);
  broker.expectErrors(0);
});

test("a client that the end of its predecessor takes along leaves nothing behind", async () => {
  const broker = new TestBroker();
  const holder = await broker.connect("same");
  const newcomer = new MemoryClient(broker);
  broker.core.events.on("disconnect", () => newcomer.lose());
  newcomer.connect("same");
  await broker.settle();
  assert.ok(holder.isEnded);
  assert.equal(broker.core.connectionCount, 0);
  assert.equal(broker.core.sessions.size, 0);
  broker.expectErrors(0);
});

test("what a client sent behind the message that ended it is not handled any more", async () => {
  const broker = new TestBroker();
  const client = await broker.connect("client", { properties: { sessionExpiryInterval: 1000 } });
  const seen: string[] = [];
  broker.core.subscribe("t", (message) => {
    seen.push(textOf(message));
    if (textOf(message) === "last") client.lose();
  });
  client.publish("t", "first");
  await broker.settle();
  const properties = { sessionExpiryInterval: 5 };
  client.send(client.publishPacket("t", "last"), {
    type: PacketType.disconnect,
    reasonCode: 0,
    properties,
  });
  await broker.settle();
  const [session] = broker.core.sessions.all();
  assert.equal(session.expirySeconds, 1000);
  assert.deepEqual(seen, ["first", "last"]);
  broker.expectErrors(0);
});

test("a long backlog for a peer that answers at once does not pile up calls", async () => {
  const broker = new TestBroker();
  const before = await broker.connect("client", { properties: { sessionExpiryInterval: 100 } });
  before.subscribe("t", 1);
  await broker.settle();
  before.lose();
  const count = 9000;
  for (let number = 0; number < count; number++)
    broker.publish("t", `${number} ${"x".repeat(1000)}`, 1);
  const client = new MemoryClient(broker);
  let answered = 0;
  client.onWrite = () => {
    const { packets } = client;
    for (; answered < packets.length; answered++) {
      const packet = packets[answered];
      if (packet.type === PacketType.publish) client.acknowledge(packet.packetIdentifier ?? 0);
    }
  };
  client.connect("client", { cleanStart: false, properties: { sessionExpiryInterval: 100 } });
  for (let round = 0; round < 1000 && answered <= count; round++) await broker.settle();
  const numbers = client.payloads.map((payload) => Number.parseInt(payload, 10));
  assert.deepEqual(numbers, [...numbers.keys()]);
  assert.equal(numbers.length, count);
  broker.expectErrors(0);
});

test("a peer that answers the last write does not end its connection a second time", async () => {
  const broker = new TestBroker();
  const client = await broker.connect("client");
  const wrong = Buffer.from([0xf1, 0x00]);
  let ends = 0;
  const end = client.end.bind(client);
  client.end = () => {
    ends++;
    end();
  };
  client.onWrite = () => {
    client.onWrite = undefined;
    client.sendBytes(Buffer.from(wrong));
  };
  client.sendBytes(Buffer.from(wrong));
  await broker.settle();
  assert.equal(ends, 1);
  assert.deepEqual(client.packetTypes, [PacketType.connack, PacketType.disconnect]);
  broker.expectErrors(0);
});
