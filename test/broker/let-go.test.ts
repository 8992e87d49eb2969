/** What a connection must not hold on to: buffers of packets that are done, secrets of a CONNECT that is done. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { AuthenticationRequest, EnhancedAuthenticator } from "../../src/broker/index.ts";
import { encodePacket, type Packet, PacketType, ProtocolVersion } from "../../src/codec/index.ts";
import { MemoryClient } from "./memory-client.ts";
import { TestBroker } from "./test-broker.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Whether the garbage collector takes what was sent. */
async function isFreed(send: () => WeakRef<object>): Promise<boolean> {
  const bytes = send();
  for (let round = 0; round < 20; round++) {
    await setImmediate();
    collectGarbage();
    if (bytes.deref() === undefined) return true;
  }
  return false;
}

function sendLarge(client: MemoryClient, packet: Packet): WeakRef<object> {
  const bytes = Buffer.from(encodePacket(packet, client.version));
  client.sendBytes(bytes);
  return new WeakRef(bytes.buffer);
}

const payload = "x".repeat(1_000_000);

for (const [what, fields] of Object.entries({
  "a large PUBLISH": {},
  "a large PUBLISH that was retained": { retain: true },
  "a large PUBLISH at QoS 1": { qos: 1, packetIdentifier: 1 },
} as const)) {
  test(`an idle client does not hold the bytes of ${what}`, async () => {
    const broker = new TestBroker();
    const client = await broker.connect("idle", { protocolVersion: ProtocolVersion.v3_1_1 });
    assert.ok(
      await isFreed(() => sendLarge(client, client.publishPacket("t", payload, fields))),
      "its bytes are held",
    );
    assert.ok(!client.isEnded);
  });
}

test("an idle client does not hold the copy that a queue has handed on", async () => {
  const broker = new TestBroker();
  const subscriber = await broker.connect("kept", { properties: { sessionExpiryInterval: 100 } });
  subscriber.subscribe("t", 1);
  await broker.settle();
  const publisher = await broker.connect("publisher");
  publisher.publish("t", payload, { qos: 1 });
  await broker.settle();
  const copies = [...broker.core.sessions.all()].map(
    ({ connection }) => connection?.publisher.message.keep().bytes.length,
  );
  assert.deepEqual(copies, [0, 0]);
});

const willing: Packet = {
  type: PacketType.connect,
  protocolVersion: ProtocolVersion.v5,
  cleanStart: true,
  keepAliveSeconds: 0,
  clientIdentifier: "willing",
  will: { topic: "will", payload: Buffer.alloc(60_000), qos: 0, retain: false, properties: {} },
  password: Buffer.alloc(60_000),
  properties: {},
};

test("an idle client does not hold the bytes of its CONNECT, though its will is kept", async () => {
  const broker = new TestBroker();
  const client = new MemoryClient(broker);
  assert.ok(await isFreed(() => sendLarge(client, willing)), "its bytes are held");
  assert.equal(broker.core.sessions.has("willing"), true);
});

test("nor when it authenticated by a method: its password is for the first exchange alone", async () => {
  const requests: AuthenticationRequest[] = [];
  const method: EnhancedAuthenticator = {
    method: "M",
    begin: (request) => {
      requests.push({ ...request, password: request.password && Buffer.from(request.password) });
      return {
        next: () => ({ outcome: "success", data: undefined, userName: undefined, rule: "test" }),
      };
    },
  };
  const broker = new TestBroker({ enhancedAuthenticators: [method] });
  const client = new MemoryClient(broker);
  const properties = { authenticationMethod: "M" };
  assert.ok(await isFreed(() => sendLarge(client, { ...willing, properties })), "held");
  client.send({ type: PacketType.auth, reasonCode: 0x19, properties });
  await broker.settle();
  assert.deepEqual(client.packetTypes, [PacketType.connack, PacketType.auth]);
  const passwordBytes = requests.map(({ password }) => password?.length);
  assert.deepEqual(passwordBytes, [60_000, undefined]);
});

test("a walk through retained messages that stands still does not hold the topics that came before their turn", async () => {
  const broker = new TestBroker({ limits: { routesBytesMax: 100_000 } });
  for (const topic of ["a/1", "a/2"]) broker.publish(topic, "kept", 1, true);
  const client = await broker.connect("client", { properties: { receiveMaximum: 1 } });
  client.subscribe("a/+", 1); // never acknowledged: what follows does not get its turn
  client.subscribe("b/+");
  await broker.settle();
  const runTopics = async (count: number): Promise<number> => {
    for (let number = 0; number < count; number++) {
      const topic = `b/${Math.random()}`.padEnd(1000, "x");
      broker.publish(topic, "kept", 0, true);
      broker.publish(topic, "new");
      broker.publish(topic, "", 0, true);
      client.packets.length = 0;
    }
    await broker.settle();
    client.packets.length = 0;
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const before = await runTopics(5000);
  const grown = (await runTopics(20_000)) - before;
  assert.ok(grown < 10_000_000, `${grown} bytes more`);
});
