/** 5.0 section 3.1.4, 3.1.1 section 3.1.4: a second connection with the same client identifier takes the session over. */
import assert from "node:assert/strict";
import { type ConnectPacket, PacketType, ProtocolVersion } from "../../src/codec/index.ts";
import type { Authenticator } from "../../src/index.ts";
import {
  Bystander,
  conformanceTest,
  connectPacket,
  everyVersion,
  onlyV5,
  publishPacket,
  type RawClient,
  type World,
} from "./harness/index.ts";
import { strangerRefused } from "./packets.ts";

const { v3_1, v3_1_1, v5 } = ProtocolVersion;
const sessionTakenOver = 0x8e;
const clauses = "5.0 [MQTT-3.1.4-3], 3.1.1 [MQTT-3.1.4-2]";

function keptFields(version: ProtocolVersion, cleanStart = false): Partial<ConnectPacket> {
  const properties = version === v5 ? { sessionExpiryInterval: 1000 } : {};
  return { clientIdentifier: "kept", cleanStart, properties, protocolVersion: version };
}

for (const cleanStart of [true, false]) {
  conformanceTest(
    `${clauses} the connection before is told (5.0: 0x8E) and closed, clean start ${cleanStart}`,
    { versions: everyVersion },
    async (world) => {
      const bystander = await Bystander.start(world);
      const first = await world.connect(keptFields(world.version));
      await first.subscribe("t", { qos: 0 });
      const second = await world.connect(keptFields(world.version, cleanStart));
      await first.expectDisconnected(sessionTakenOver);
      assert.equal(second.connack?.sessionPresent, !cleanStart && world.version !== v3_1);
      world.broker.publish("t", "x");
      if (!cleanStart) await second.expectPacket(PacketType.publish);
      await second.ping();
      await bystander.expectUndisturbed();
    },
  );
}

conformanceTest(
  `5.0 [MQTT-4.1.0-2] ${clauses} a session without expiry does not pass to the new connection`,
  { versions: everyVersion },
  async (world) => {
    const fields = { ...keptFields(world.version, true), properties: {} };
    const first = await world.connect(fields);
    await first.subscribe("t", { qos: 0 });
    const second = await world.connect({ ...fields, cleanStart: false });
    await first.expectDisconnected(sessionTakenOver);
    assert.equal(second.connack?.sessionPresent, false);
    world.broker.publish("t", "x");
    await second.ping();
  },
);

conformanceTest(
  `${clauses} also from a connection of another version`,
  { versions: everyVersion },
  async (world) => {
    for (const version of everyVersion) {
      const first = await world.connect(keptFields(world.version));
      const second = await world.connect(keptFields(version));
      await first.expectDisconnected(sessionTakenOver);
      await second.ping();
    }
  },
);

conformanceTest(
  `${clauses} what the connection before still sends is not handled`,
  { versions: everyVersion },
  async (world) => {
    const watcher = await world.connect();
    await watcher.subscribe("#");
    const first = await world.connect(keptFields(world.version));
    first.send("30"); // the beginning of a packet
    await first.expectSilence(10);
    const second = await world.connect(keptFields(world.version));
    first.send("04 0001 74 00", publishPacket("t", "late"));
    await first.expectDisconnected(sessionTakenOver);
    await second.ping();
    await watcher.ping();
  },
);

conformanceTest(
  `${clauses} in the middle of QoS 2 from the client: PUBREL completes it, nothing is delivered twice`,
  { versions: everyVersion },
  async (world) => {
    const watcher = await world.connect();
    await watcher.subscribe("t", { qos: 0 });
    const publish = publishPacket("t", "once", { qos: 2, packetIdentifier: 7 });
    const first = await world.connect(keptFields(world.version));
    first.send(publish);
    await first.expectPacket(PacketType.pubrec);
    await watcher.expectPacket(PacketType.publish);
    const second = await world.connect(keptFields(world.version));
    await first.expectDisconnected(sessionTakenOver);
    second.send({ ...publish, dup: true });
    await second.expectBytes("50 02 0007");
    second.send("62 02 0007");
    await second.expectBytes("70 02 0007");
    await watcher.ping();
    second.send(publish);
    await second.expectBytes("50 02 0007");
    await watcher.expectPacket(PacketType.publish); // the identifier is free: another message
  },
);

async function receive(client: RawClient, dup: boolean): Promise<void> {
  const message = await client.expectPacket(PacketType.publish);
  assert.deepEqual([message.qos, message.dup, message.packetIdentifier], [2, dup, 1]);
}

conformanceTest(
  `${clauses} in the middle of QoS 2 to the client: the handshake goes on where it was`,
  { versions: everyVersion },
  async (world) => {
    const fields = keptFields(world.version);
    const first = await world.connect(fields);
    await first.subscribe("t");
    world.broker.publish("t", "x", { qos: 2 });
    await receive(first, false);
    const second = await world.connect(fields);
    await first.expectDisconnected(sessionTakenOver);
    await receive(second, true);
    second.send("50 02 0001");
    await second.expectBytes("62 02 0001");
    const third = await world.connect(fields);
    await second.expectDisconnected(sessionTakenOver);
    await third.expectBytes("62 02 0001");
    third.send("70 02 0001");
    await third.ping();
    const fourth = await world.connect(fields);
    await third.expectDisconnected(sessionTakenOver);
    await fourth.ping();
  },
);

conformanceTest(
  `${clauses} with a clean start in the middle of QoS 2: nothing of it is left`,
  { versions: everyVersion },
  async (world) => {
    const watcher = await world.connect();
    await watcher.subscribe("t", { qos: 0 });
    const publish = publishPacket("t", "x", { qos: 2, packetIdentifier: 7 });
    const first = await world.connect(keptFields(world.version));
    first.send(publish);
    await first.expectPacket(PacketType.pubrec);
    await watcher.expectPacket(PacketType.publish);
    const second = await world.connect(keptFields(world.version, true));
    await first.expectDisconnected(sessionTakenOver);
    second.send(publish);
    await second.expectPacket(PacketType.pubrec);
    await watcher.expectPacket(PacketType.publish);
    await second.ping();
  },
);

conformanceTest(
  `${clauses} of many that come at once, one stays, and each was answered`,
  { versions: everyVersion },
  async (world) => {
    const bystander = await Bystander.start(world);
    const clients = await Promise.all(Array.from({ length: 20 }, () => world.open()));
    for (const client of clients)
      client.send(connectPacket(world.version, keptFields(world.version)));
    await Promise.all(clients.map((client) => client.expectPacket(PacketType.connack)));
    await bystander.expectUndisturbed();
    const ends = await Promise.allSettled(
      clients.map(async (client) => {
        client.send("c000");
        await client.expectBytes("d000");
      }),
    );
    assert.equal(ends.filter(({ status }) => status === "fulfilled").length, 1);
  },
);

/** Lets "kept" in when two have come, the second one first: each on its own, or both in one moment. */
function secondFirst(letIn: (answers: readonly (() => void)[]) => void): Authenticator {
  const waiting: (() => void)[] = [];
  return {
    authenticate({ clientIdentifier }) {
      const result = { allowed: true, userName: undefined, rule: "test" } as const;
      if (clientIdentifier !== "kept") return result;
      return new Promise((resolve) => {
        waiting.unshift(() => resolve(result));
        if (waiting.length === 2) letIn(waiting.splice(0));
      });
    },
  };
}

function inTurn(answers: readonly (() => void)[]): void {
  for (const answer of answers) setImmediate(answer);
}

function inOneMoment(answers: readonly (() => void)[]): void {
  setImmediate(() => {
    for (const answer of answers) answer();
  });
}

/** Two connections with one identifier, which wait for their authentication. */
async function openTwo(world: World): Promise<[first: RawClient, second: RawClient]> {
  const bystander = await Bystander.start(world);
  const first = await world.open();
  first.send(connectPacket(world.version, keptFields(world.version)));
  await bystander.expectUndisturbed();
  const second = await world.open();
  second.send(connectPacket(world.version, keptFields(world.version)));
  return [first, second];
}

conformanceTest(
  `${clauses} whoever is let in last holds the session`,
  { versions: everyVersion, broker: { authenticator: secondFirst(inTurn) } },
  async (world) => {
    const [first, second] = await openTwo(world);
    await first.expectPacket(PacketType.connack);
    await first.ping();
    await second.expectPacket(PacketType.connack);
    await second.expectDisconnected(sessionTakenOver);
  },
);

conformanceTest(
  `${clauses} who is taken over before its CONNACK gets none, and was never connected`,
  { versions: everyVersion, broker: { authenticator: secondFirst(inOneMoment) } },
  async (world) => {
    const told: string[] = [];
    world.broker.on("connect", ({ client }) => told.push(`connect ${client.clientIdentifier}`));
    world.broker.on("disconnect", ({ client }) => told.push(`gone ${client.clientIdentifier}`));
    const [first, second] = await openTwo(world);
    await first.expectPacket(PacketType.connack);
    await second.expectClosed();
    await first.subscribe("t", { qos: 0 });
    world.broker.publish("t", "x");
    await first.expectPacket(PacketType.publish);
    assert.deepEqual(
      told.filter((event) => event.endsWith("kept")),
      ["connect kept"],
    );
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.4-3], 3.1.1 [MQTT-3.1.4-2] a client that is refused takes nothing over",
  {
    versions: [v3_1_1, v5],
    broker: { authenticator: strangerRefused },
  },
  async (world) => {
    const first = await world.connect(keptFields(world.version));
    const stranger = await world.open();
    const fields = { ...keptFields(world.version, true), userName: "stranger" };
    stranger.send(connectPacket(world.version, fields));
    await stranger.expectRefused(world.version === v5 ? 0x86 : 4);
    await first.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.14.2-2] the DISCONNECT of a takeover, byte for byte, where no reason string fits",
  { versions: onlyV5 },
  async (world) => {
    const properties = { maximumPacketSize: 20 };
    const first = await world.connect({ ...keptFields(v5), properties });
    await world.connect(keptFields(v5));
    await first.expectBytes("e0 01 8e");
    await first.expectClosed();
  },
);
