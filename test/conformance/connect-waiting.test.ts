/**
 * 5.0 and 3.1.1, section 3.1.4: what a client sends while its CONNECT waits for an answer from outside, and what is sent
 * to it meanwhile.
 */
import assert from "node:assert/strict";
import { PacketType, type Properties, ProtocolVersion } from "../../src/codec/index.ts";
import type { AuthenticationResult, Authenticator } from "../../src/index.ts";
import {
  Bystander,
  conformanceTest,
  connectPacket,
  everyVersion,
  publishPacket,
  type World,
} from "./harness/index.ts";

const { v5 } = ProtocolVersion;
const allowed = { allowed: true, userName: undefined, rule: "test" } as const;
const refused = { allowed: false, reasonCode: 0x87, rule: "test" } as const;

/** Keeps the client "raw" waiting until the test answers. */
class Doorkeeper {
  readonly broker: { readonly authenticator: Authenticator };
  #waiting: ((result: AuthenticationResult) => void)[] = [];

  constructor() {
    const authenticate: Authenticator["authenticate"] = ({ clientIdentifier }) =>
      clientIdentifier === "raw" ? new Promise((resolve) => this.#waiting.push(resolve)) : allowed;
    this.broker = { authenticator: { authenticate } };
  }

  answer(result: AuthenticationResult): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    assert.equal(waiting.length, 1);
    for (const resolve of waiting) resolve(result);
  }
}

async function watchAll(world: World) {
  const watcher = await world.connect({ clientIdentifier: "watcher" });
  await watcher.subscribe("#", { qos: 0 });
  return watcher;
}

const welcoming = new Doorkeeper();

conformanceTest(
  "5.0 [MQTT-3.2.0-1], 3.1.1 [MQTT-3.2.0-1] what comes while CONNECT waits is handled behind CONNACK, in order",
  { versions: everyVersion, broker: welcoming.broker },
  async (world) => {
    const watcher = await watchAll(world);
    const client = await world.open();
    client.send(connectPacket(world.version), "c000", publishPacket("t", "1"));
    client.send(publishPacket("t", "2", { qos: 1, packetIdentifier: 7 }));
    await client.expectSilence(20);
    client.send(publishPacket("t", "3"), "c000");
    await client.expectSilence(20);
    await watcher.ping();
    welcoming.answer(allowed);
    await client.expectPacket(PacketType.connack);
    await client.expectBytes("d000");
    assert.equal((await client.expectPacket(PacketType.puback)).packetIdentifier, 7);
    await client.expectBytes("d000");
    for (const payload of ["1", "2", "3"]) {
      const message = await watcher.expectPacket(PacketType.publish);
      assert.equal(Buffer.from(message.payload).toString(), payload);
    }
  },
);

const refusing = new Doorkeeper();

conformanceTest(
  "5.0 [MQTT-3.1.4-6], 3.1.1 [MQTT-3.1.4-5] nothing that came behind a CONNECT is handled where the answer is no",
  { versions: everyVersion, broker: refusing.broker },
  async (world) => {
    const watcher = await watchAll(world);
    const client = await world.open();
    client.send(connectPacket(world.version), publishPacket("t", "same write"));
    await client.expectSilence(20);
    client.send(publishPacket("t", "later", { retain: true }), "c000", "0000");
    await client.expectSilence(20);
    refusing.answer(refused);
    await client.expectRefused(world.version === v5 ? 0x87 : 5);
    await watcher.ping();
    const late = await world.connect();
    await late.subscribe("t", { qos: 0 });
    await late.ping();
  },
);

const returning = new Doorkeeper();

conformanceTest(
  "5.0 [MQTT-3.2.0-1], 3.1.1 [MQTT-3.2.0-1] what is published to its session while CONNECT waits comes behind CONNACK",
  { versions: everyVersion, broker: returning.broker },
  async (world) => {
    const properties: Properties = world.version === v5 ? { sessionExpiryInterval: 100 } : {};
    const fields = { cleanStart: false, properties };
    const before = await world.open();
    before.send(connectPacket(world.version, fields));
    await before.expectSilence(20);
    returning.answer(allowed);
    await before.expectPacket(PacketType.connack);
    await before.subscribe("t", { qos: 1 });
    before.send("e000");
    await before.expectClosed();
    const client = await world.open();
    client.send(connectPacket(world.version, fields));
    await client.expectSilence(20);
    world.broker.publish("t", "x", { qos: 1 });
    await client.expectSilence(20);
    returning.answer(allowed);
    await client.expectPacket(PacketType.connack);
    await client.expectPacket(PacketType.publish);
  },
);

const leaving = new Doorkeeper();

conformanceTest(
  "5.0 and 3.1.1, section 3.1.2.5: a client that leaves before its CONNACK leaves no will, and takes nobody's place",
  { versions: everyVersion, broker: leaving.broker },
  async (world) => {
    const watcher = await watchAll(world);
    const will = { topic: "will", payload: Buffer.from("x"), qos: 0 as const, retain: false };
    const client = await world.open();
    client.send(connectPacket(world.version, { will: { ...will, properties: {} } }));
    await client.expectSilence(20);
    client.destroy();
    await watcher.expectSilence(20);
    leaving.answer(allowed);
    await watcher.ping();
  },
);

const closing = new Doorkeeper();

conformanceTest(
  "5.0 [MQTT-3.14.0-1] a broker that shuts down while CONNECT waits says nothing to the client",
  { versions: everyVersion, broker: closing.broker },
  async (world) => {
    const client = await world.open();
    client.send(connectPacket(world.version));
    await client.expectSilence(20);
    await world.broker.close({ seconds: 1 });
    await client.expectClosed();
    closing.answer(allowed);
  },
);

const slow = new Doorkeeper();

conformanceTest(
  "5.0 [MQTT-3.14.0-1] connectSecondsMax ends a CONNECT that waits without a word, and a late yes changes nothing",
  { versions: everyVersion, broker: slow.broker },
  async (world) => {
    const bystander = await Bystander.start(world);
    const client = await world.open();
    client.send(connectPacket(world.version));
    await client.expectSilence(20);
    world.clock.advanceSeconds(10);
    await client.expectClosed();
    slow.answer(allowed);
    await bystander.expectUndisturbed();
  },
);
