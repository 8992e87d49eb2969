/** memoryBytesMax: who is refused and who is slowed down while memory is short, and that all is as before afterwards. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectReturnCode, ReasonCode } from "../../src/base/index.ts";
import { PacketType, ProtocolVersion, type SubackPacket } from "../../src/codec/index.ts";
import type { MemoryClient } from "../broker/memory-client.ts";
import { LimitedBroker } from "./limited-broker.ts";

const limit = 100_000_000;

class ShortBroker extends LimitedBroker {
  readonly memory: { bytes: number };

  constructor(ports: ConstructorParameters<typeof LimitedBroker>[1] = {}) {
    const memory = { bytes: 0 };
    super({ memoryBytesMax: limit }, { memoryBytes: () => memory.bytes, ...ports });
    this.memory = memory;
  }

  /** Until the broker has looked. */
  setMemory(bytes: number): void {
    this.memory.bytes = bytes;
    this.clock.advance(250);
  }
}

function lastSuback(client: MemoryClient): number[] {
  const subacks = client.packets.filter(
    (packet): packet is SubackPacket => packet.type === PacketType.suback,
  );
  return subacks.at(-1)?.reasonCodes ?? [];
}

test("memoryBytesMax: new connections are refused, with or without a session", async () => {
  const broker = new ShortBroker();
  const client = await broker.connect("here");
  broker.setMemory(limit + 1);
  assert.equal(await broker.connectCode("new"), ReasonCode.serverBusy);
  assert.equal(
    await broker.connectCode("new", { protocolVersion: ProtocolVersion.v3_1_1 }),
    ConnectReturnCode.serverUnavailable,
  );
  assert.equal(await broker.figure("limits/memoryBytesMax"), "2");
  broker.setMemory(0.91 * limit);
  assert.equal(await broker.connectCode("new"), ReasonCode.serverBusy);
  broker.setMemory(0.89 * limit);
  assert.equal(await broker.connectCode("new"), ReasonCode.success);
  assert.equal(client.isEnded, false);
});

test("memoryBytesMax: a session is refused to whom memory became short on the way", async () => {
  const authenticate = async ({ clientIdentifier }: { clientIdentifier: string }) => {
    if (clientIdentifier === "new") broker.setMemory(limit + 1);
    return { allowed: true, userName: undefined, rule: "anyone" } as const;
  };
  const broker: ShortBroker = new ShortBroker({ authenticator: { authenticate } });
  await broker.connect("here");
  assert.equal(await broker.connectCode("new"), ReasonCode.quotaExceeded);
});

test("memoryBytesMax: new subscriptions and retained topics are refused, those that are there may change", async () => {
  const broker = new ShortBroker();
  const client = await broker.connect("client");
  client.subscribe("known", 1);
  client.publish("known", "1", { qos: 1, retain: true });
  await broker.settle();
  broker.setMemory(limit + 1);
  client.subscribe("known", 0);
  await broker.settle();
  assert.deepEqual(lastSuback(client), [0]);
  client.subscribe("new", 0);
  client.publish("known", "2", { qos: 1, retain: true });
  client.publish("new", "2", { qos: 1, retain: true });
  await broker.settle();
  assert.deepEqual(lastSuback(client), [ReasonCode.quotaExceeded]);
  const pubacks = client.packets.flatMap((packet) =>
    packet.type === PacketType.puback ? [packet.reasonCode] : [],
  );
  assert.deepEqual(pubacks, [0, 0, ReasonCode.quotaExceeded]);
  assert.equal(await broker.figure("publish/messages/dropped/retainedFull"), "1");
  assert.equal(broker.core.retained.get("known")?.payloadEnd !== undefined, true);
  broker.setMemory(0);
  client.subscribe("new", 0);
  await broker.settle();
  assert.deepEqual(lastSuback(client), [0]);
});

test("memoryBytesMax: who publishes is read once for each look, who does not as before, and nothing is lost", async () => {
  const broker = new ShortBroker();
  const subscriber = await broker.subscriber("subscriber", "t", 1);
  const publisher = await broker.connect("publisher", { keepAliveSeconds: 1 });
  publisher.publish("t", "0", { qos: 1 });
  await broker.settle();
  broker.setMemory(limit + 1);
  for (let count = 1; count <= 20; count++) {
    assert.equal(publisher.isPaused, false);
    publisher.publish("t", `${count}`, { qos: 1 });
    await broker.settle();
    assert.equal(publisher.isPaused, true);
    subscriber.acknowledge(...subscriber.publishes.map((packet) => packet.packetIdentifier ?? 0));
    assert.equal(subscriber.isPaused, false);
    broker.clock.advance(250);
    await broker.settle();
  }
  broker.setMemory(0);
  assert.equal(publisher.isPaused, false);
  publisher.publish("t", "21", { qos: 1 });
  await broker.settle();
  assert.equal(publisher.isPaused, false);
  assert.equal(subscriber.payloads.length, 22);
  assert.equal(publisher.isEnded, false);
});

test("memoryBytesMax: QoS 0 to a client that has not taken what it was sent is dropped and counted", async () => {
  const broker = new ShortBroker();
  const slow = await broker.subscriber("slow", "t");
  const quick = await broker.subscriber("quick", "t");
  const publisher = await broker.connect("publisher");
  broker.setMemory(limit + 1);
  slow.isBusy = true;
  // A message alone, and several of one chunk, which go on as they came.
  const packets = ["0", "1", "2"].map((payload) => publisher.publishPacket("t", payload));
  broker.publish("t", "first");
  await broker.settle();
  broker.publish("t", "second");
  publisher.send(...packets);
  await broker.settle();
  slow.drain();
  await broker.settle();
  assert.deepEqual(slow.payloads, ["first"]);
  assert.equal(quick.payloads.length, 5);
  await broker.expectDropped("memoryFull", 4, "slow");
  broker.publish("t", "third");
  await broker.settle();
  assert.deepEqual(slow.payloads, ["first", "third"]);
});

test("memoryBytesMax: its state is in $SYS, and each change in the log", async () => {
  const broker = new ShortBroker();
  await broker.connect("client");
  const states: string[] = [];
  for (const bytes of [limit, limit + 1, 0, limit + 1]) {
    broker.setMemory(bytes);
    const state = await broker.figure("memory/state");
    states.push(`${state} ${await broker.figure("memory/bytes")}`);
  }
  assert.deepEqual(states, ["enough 100000000", "short 100000001", "enough 0", "short 100000001"]);
  assert.equal(await broker.figure("memory/shortages"), "2");
  assert.equal(await broker.figure("memory/maximum"), `${limit}`);
  assert.equal(broker.warnings.length, 2);
});

test("memoryBytesMax: the last client leaves while memory is short, and the next finds it as it is", async () => {
  const broker = new ShortBroker();
  const client = await broker.connect("client");
  broker.setMemory(limit + 1);
  client.lose();
  broker.clock.advanceSeconds(10);
  broker.memory.bytes = 0;
  assert.equal(await broker.connectCode("next"), ReasonCode.success);
});
