/** 5.0 section 3.2.2.1.1, 3.1.1 section 3.2.2.2: Session Present, in all cases. */
import assert from "node:assert/strict";
import { type Properties, ProtocolVersion } from "../../src/codec/index.ts";
import { conformanceTest, connectBytes, connectPacket, type RawClient } from "./harness/index.ts";

const { v3_1, v3_1_1, v5 } = ProtocolVersion;

conformanceTest(
  "3.1.1 [MQTT-3.2.2-2] [MQTT-3.2.2-3] [MQTT-3.1.2-4], 5.0 [MQTT-3.2.2-2] [MQTT-3.2.2-3] [MQTT-3.1.2-6] Session Present says whether there was a session",
  { versions: [v3_1_1, v5] },
  async (world) => {
    const properties: Properties = world.version === v5 ? { sessionExpiryInterval: 100 } : {};
    const fields = { clientIdentifier: "kept", cleanStart: false, properties };
    const steps = [
      { cleanStart: false, isPresent: false },
      { cleanStart: false, isPresent: true },
      { cleanStart: true, isPresent: false },
    ];
    for (const { cleanStart, isPresent } of steps) {
      const client = await world.connect({ ...fields, cleanStart });
      assert.equal(client.connack?.sessionPresent, isPresent);
      client.send("e000");
      await client.expectClosed();
    }
  },
);

conformanceTest(
  "3.1 has no Session Present: the byte stays 0",
  { versions: [v3_1] },
  async (world) => {
    for (const _ of [1, 2]) {
      const client = await world.open();
      client.send(connectPacket(world.version, { cleanStart: false }));
      await client.expectBytes("20 02 00 00");
    }
  },
);

const cases = [
  { cleanStart: false, hasSession: false, isPresent: false },
  { cleanStart: false, hasSession: true, isPresent: true },
  { cleanStart: true, hasSession: false, isPresent: false },
  { cleanStart: true, hasSession: true, isPresent: false },
];

/** A CONNECT of the client "raw", which asks for its session to be kept. */
function rawConnect(version: ProtocolVersion, cleanStart: boolean): Buffer {
  return connectBytes(version, {
    flags: cleanStart ? "02" : "00",
    properties: version === v5 ? "05 11 00000064" : "",
  });
}

async function expectConnackFlags(client: RawClient, flags: string): Promise<void> {
  const frame = await client.expectFrame("CONNACK");
  assert.equal(frame[0], 0x20);
  assert.equal(frame.subarray(2, 4).toString("hex"), `${flags}00`);
}

for (const { cleanStart, hasSession, isPresent } of cases) {
  conformanceTest(
    `5.0 [MQTT-3.2.2-1] [MQTT-3.2.2-2] [MQTT-3.2.2-3], 3.1.1 [MQTT-3.2.2-1] [MQTT-3.2.2-2] [MQTT-3.2.2-3] clean start ${Number(cleanStart)}, ${hasSession ? "a" : "no"} session: ${Number(isPresent)}, and the other bits are 0`,
    { versions: [v3_1_1, v5] },
    async (world) => {
      if (hasSession) {
        const before = await world.open();
        before.send(rawConnect(world.version, false), "e000");
        await expectConnackFlags(before, "00");
        await before.expectClosed();
      }
      const client = await world.open();
      client.send(rawConnect(world.version, cleanStart));
      await expectConnackFlags(client, isPresent ? "01" : "00");
      await client.ping();
    },
  );
}

conformanceTest(
  "5.0 [MQTT-3.2.2-3], 3.1.1 [MQTT-3.2.2-2] Session Present is 1 for a session that is taken over, too",
  { versions: [v3_1_1, v5] },
  async (world) => {
    const first = await world.open();
    first.send(rawConnect(world.version, false));
    await expectConnackFlags(first, "00");
    const second = await world.open();
    second.send(rawConnect(world.version, false));
    await expectConnackFlags(second, "01");
    await first.expectDisconnected(0x8e);
  },
);

conformanceTest(
  "5.0 [MQTT-3.2.2-6], 3.1.1 [MQTT-3.2.2-4] a refusal says 0, though there is a session; the session stays",
  {
    versions: [v3_1_1, v5],
    broker: {
      authenticator: {
        authenticate: ({ userName }) =>
          userName === "stranger"
            ? { allowed: false, reasonCode: 0x87, rule: "test" }
            : { allowed: true, userName, rule: "test" },
      },
    },
  },
  async (world) => {
    const before = await world.open();
    before.send(rawConnect(world.version, false), "e000");
    await expectConnackFlags(before, "00");
    const stranger = await world.open();
    stranger.send(connectPacket(world.version, { cleanStart: false, userName: "stranger" }));
    const frame = await stranger.expectFrame("CONNACK");
    assert.equal(frame.subarray(2, 4).toString("hex"), world.version === v5 ? "0087" : "0005");
    await stranger.expectClosed();
    const client = await world.open();
    client.send(rawConnect(world.version, false));
    await expectConnackFlags(client, "01");
  },
);
