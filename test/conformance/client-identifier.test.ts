/** 5.0 section 3.1.3.1, 3.1.1 section 3.1.3.1: client identifiers, the client's own and those that the broker assigns. */
import assert from "node:assert/strict";
import { PacketType, ProtocolVersion } from "../../src/codec/index.ts";
import {
  conformanceTest,
  connectBytes,
  connectPacket,
  everyVersion,
  field,
  onlyV3_1_1,
  onlyV5,
} from "./harness/index.ts";

const { v3_1, v3_1_1, v5 } = ProtocolVersion;

conformanceTest(
  "5.0 [MQTT-3.2.2-16] [MQTT-3.1.3-6] [MQTT-3.1.3-7] a client without identifier is assigned one of its own",
  { versions: onlyV5 },
  async (world) => {
    const first = await world.connect({ clientIdentifier: "" });
    const second = await world.connect({ clientIdentifier: "" });
    const names = [first, second].map(
      ({ connack }) => connack?.properties.assignedClientIdentifier,
    );
    assert.ok(names[0] && names[1] && names[0] !== names[1], `assigned ${names.join(" and ")}`);
    await first.ping();
    const properties = { sessionExpiryInterval: 100 };
    const kept = await world.connect({ clientIdentifier: "", properties });
    const clientIdentifier = kept.connack?.properties.assignedClientIdentifier;
    kept.destroy();
    const back = await world.connect({ clientIdentifier, cleanStart: false, properties });
    assert.equal(back.connack?.sessionPresent, true);
    assert.equal(back.connack?.properties.assignedClientIdentifier, undefined);
  },
);

/** Says everything three times. */
function stutteringRandom(): { hexadecimal(count: number): string } {
  let calls = 0;
  return { hexadecimal: (count) => `${Math.floor(calls++ / 3)}`.padStart(2 * count, "0") };
}

conformanceTest(
  "5.0 [MQTT-3.2.2-16], 3.1.1 [MQTT-3.1.3-6] an assigned identifier is no other session's, even when chance says so",
  { versions: [v3_1_1, v5], broker: { random: stutteringRandom() } },
  async (world) => {
    const first = await world.connect({ clientIdentifier: "" });
    const second = await world.connect({ clientIdentifier: "" });
    const third = await world.connect({ clientIdentifier: "" }); // two of any three in a row are the same
    await first.ping();
    await second.ping();
    await third.ping();
  },
);

conformanceTest(
  "3.1.1 [MQTT-3.1.3-7] [MQTT-3.1.3-8] [MQTT-3.1.3-9] no identifier and a session to be kept: return code 2",
  { versions: onlyV3_1_1 },
  async (world) => {
    const client = await world.open();
    client.send(connectPacket(world.version, { clientIdentifier: "", cleanStart: false }));
    await client.expectBytes("20 02 00 02");
    await client.expectClosed();
  },
);

conformanceTest(
  "3.1 knows no empty client identifier: return code 2",
  { versions: [v3_1] },
  async (world) => {
    const client = await world.open();
    client.send(connectPacket(world.version, { clientIdentifier: "" }));
    await client.expectBytes("20 02 00 02");
    await client.expectClosed();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.3-5], 3.1.1 [MQTT-3.1.3-5] identifiers of 1 to 23 letters and digits are allowed, and longer ones",
  { versions: everyVersion },
  async (world) => {
    for (const clientIdentifier of [
      "0",
      "abcdefghijklmnopqrstuvw",
      "ABCDEFGHIJKLMNOPQRSTUVW",
      "XYZ0123456789xyz",
      "x".repeat(1024),
    ]) {
      const client = await world.connect({ clientIdentifier });
      await client.ping();
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.3-8] [MQTT-3.2.2-7] [MQTT-3.2.2-6], 3.1.1 [MQTT-3.1.3-9] [MQTT-3.2.2-4] [MQTT-3.2.2-5] an identifier beyond clientIdentifierBytesMax is rejected",
  { versions: everyVersion, broker: { limits: { clientIdentifierBytesMax: 23 } } },
  async (world) => {
    const client = await world.open();
    client.send(connectPacket(world.version, { clientIdentifier: "x".repeat(24) }));
    await client.expectRefused(world.version === v5 ? 0x85 : 2);
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.3-6] [MQTT-3.1.3-7] [MQTT-3.2.2-16] clean start 0 without an identifier: one is assigned, the session is new, and is found again",
  { versions: onlyV5 },
  async (world) => {
    const fields = { cleanStart: false, properties: { sessionExpiryInterval: 100 } };
    const first = await world.connect({ ...fields, clientIdentifier: "" });
    const second = await world.connect({ ...fields, clientIdentifier: "" });
    assert.equal(first.connack?.sessionPresent, false);
    assert.equal(second.connack?.sessionPresent, false);
    const clientIdentifier = first.connack?.properties.assignedClientIdentifier;
    assert.ok(clientIdentifier);
    assert.notEqual(second.connack?.properties.assignedClientIdentifier, clientIdentifier);
    await first.subscribe("t", { qos: 1 });
    const back = await world.connect({ ...fields, clientIdentifier });
    await first.expectDisconnected(0x8e);
    assert.equal(back.connack?.sessionPresent, true);
    world.broker.publish("t", "x", { qos: 1 });
    await back.expectPacket(PacketType.publish);
    await second.ping();
  },
);

conformanceTest(
  "3.1.1 [MQTT-3.1.3-6] a client without identifier and with clean session 1 gets a session of its own, and four bytes",
  { versions: onlyV3_1_1 },
  async (world) => {
    const first = await world.open();
    first.send(connectBytes(v3_1_1, { payload: field("") }));
    await first.expectBytes("20 02 00 00");
    const second = await world.open();
    second.send(connectBytes(v3_1_1, { payload: field("") }));
    await second.expectBytes("20 02 00 00");
    await first.subscribe("t", { qos: 0 });
    world.broker.publish("t", "x");
    await first.expectPacket(PacketType.publish);
    await second.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.3-2], 3.1.1 [MQTT-3.1.3-2] identifiers that differ in case or in a space name other sessions",
  { versions: everyVersion },
  async (world) => {
    const names = [
      "client",
      "Client",
      "CLIENT",
      " client",
      "client ",
      "clie\u{301}nt",
      "client\u{fe0f}",
    ];
    const clients = [];
    for (const clientIdentifier of names) clients.push(await world.connect({ clientIdentifier }));
    for (const client of clients) await client.ping();
  },
);
