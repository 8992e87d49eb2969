/** What ends with its connection is never written, what is over is taken away, and who is away takes no memory for it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Message } from "../../../src/broker/message.ts";
import { PacketType, ProtocolVersion } from "../../../src/codec/index.ts";
import { answers, connack, StoredBroker, say } from "./stored-broker.ts";
import { TestStorage } from "./test-storage.ts";

const { v3_1_1, v5 } = ProtocolVersion;

test("5.0 [MQTT-4.1.0-1] 3.1.1 [MQTT-3.1.2-6] a session that ends with its connection stores nothing, whatever it does", async () => {
  const broker = new StoredBroker();
  for (const protocolVersion of [v3_1_1, v5]) {
    const properties = protocolVersion === v5 ? { receiveMaximum: 2 } : {};
    const sub = await broker.connect("sub", { protocolVersion, properties });
    sub.subscribe("t", 2);
    sub.subscribe("$share/g/t", 2);
    const pub = await broker.connect("pub", { protocolVersion });
    for (const qos of [0, 1, 2] as const) pub.publish("t", "x", { qos });
    await broker.rest();
    say(pub, "pubrel", 2);
    for (const { qos, packetIdentifier = 0 } of sub.publishes)
      if (qos > 0) say(sub, qos === 1 ? "puback" : "pubrec", packetIdentifier);
    sub.send({
      type: PacketType.unsubscribe,
      packetIdentifier: 50,
      filters: ["t"],
      properties: {},
    });
    await broker.rest();
    assert.deepEqual(answers(pub), ["puback 1", "pubrec 2", "pubcomp 2"]);
    assert.ok(answers(sub).includes("unsuback 50"));
    sub.lose();
    pub.lose();
    await broker.rest();
  }
  assert.deepEqual(broker.storage.handedOver(), []);
});

test("5.0 [MQTT-3.1.2-6] a session whose expiry the broker cuts to 0 is not kept either", async () => {
  const broker = new StoredBroker(new TestStorage(), { limits: { sessionExpirySecondsMax: 0 } });
  const client = await broker.keeper("sub");
  assert.equal(connack(client).properties.sessionExpiryInterval, 0);
  client.subscribe("t", 1);
  await broker.rest();
  client.send({
    type: PacketType.disconnect,
    reasonCode: 0,
    properties: { sessionExpiryInterval: 50 },
  });
  await broker.rest();
  assert.deepEqual(broker.storage.handedOver(), []);
});

test("$SYS is not stored; other topics are, whatever their QoS", async () => {
  const broker = new StoredBroker(new TestStorage(), { sysTopicsSeconds: 1 });
  broker.clock.advanceSeconds(5);
  await broker.rest();
  assert.ok(broker.core.retained.size > 10);
  assert.deepEqual(broker.storage.handedOver(), []);
  broker.publish("t", "x", 0, true);
  await broker.rest();
  assert.deepEqual(
    broker.storage.handedOver().map(({ kind }) => kind),
    ["retained"],
  );
});

test("5.0 [MQTT-3.1.2-23] DISCONNECT that sets the expiry to 0 ends what is stored, and so does a connection that asks for 0", async () => {
  for (const how of ["disconnect", "connect"]) {
    const broker = new StoredBroker();
    const client = await broker.keepingSubscriber("sub", "t", {
      qos: 2,
      properties: { receiveMaximum: 1 },
    });
    for (let count = 0; count < 5; count++) broker.publish("t", `${count}`, 2);
    client.publish("x", "x", { qos: 2 });
    await broker.rest();
    assert.ok(broker.storage.kept.messageLast > 0);
    if (how === "disconnect") {
      const properties = { sessionExpiryInterval: 0 };
      client.send({ type: PacketType.disconnect, reasonCode: 0, properties });
    } else {
      const again = await broker.connect("sub", { cleanStart: false });
      assert.equal(connack(again).sessionPresent, true);
      again.lose();
    }
    await broker.rest();
    broker.storage.expectEmpty();
    const back = await broker.keeper("sub");
    assert.equal(connack(back).sessionPresent, false);
  }
});

test("5.0 [MQTT-4.1.0-2] with its time a session's rows, messages and identifiers go, wherever they were", async () => {
  const broker = new StoredBroker();
  const client = await broker.keepingSubscriber("sub", "t", {
    qos: 2,
    properties: { receiveMaximum: 2 },
  });
  client.subscribe("$share/g/s", 1);
  for (let count = 0; count < 5; count++) broker.publish("t", `${count}`, 2);
  client.publish("x", "x", { qos: 2 });
  await broker.rest();
  say(client, "pubrec", 1);
  await broker.rest();
  client.lose();
  for (let count = 0; count < 5; count++) broker.publish("s", `${count}`, 2);
  await broker.rest();
  broker.clock.advanceSeconds(1000);
  await broker.rest();
  broker.storage.expectEmpty();
  assert.deepEqual(
    broker.lines.filter(({ level }) => level === "error"),
    [],
  );
});

test("what waits for a client that is away is in the storage alone", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const broker = new StoredBroker();
  await broker.absentee("sub", "t");
  const held: WeakRef<Message>[] = [];
  const realKeep = Message.prototype.keep;
  Message.prototype.keep = function keep(this: Message): Message {
    const kept = realKeep.call(this);
    held.push(new WeakRef(kept));
    return kept;
  };
  try {
    for (let count = 0; count < 200; count++) broker.publish("t", `${count}`, 1);
    await broker.rest();
    broker.storage.batches.length = 0;
    (await broker.keeper("sub", { properties: { receiveMaximum: 1 } })).lose();
    await broker.rest();
  } finally {
    Message.prototype.keep = realKeep;
  }
  assert.equal(held.length, 200);
  broker.publish("nobody", "", 0);
  for (let round = 0; round < 5; round++) {
    collect();
    await broker.settle();
  }
  const alive = held.filter((reference) => reference.deref() !== undefined).length;
  assert.ok(alive <= 2, `${alive} messages are still in memory`);
  assert.ok(broker.session("sub").queuedMessages >= 199);
});
