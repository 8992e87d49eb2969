/** 5.0 section 3.2, 3.1.1 section 3.2: CONNACK, its codes, Session Present, and every property the broker may send. */
import assert from "node:assert/strict";
import { PacketType, type Properties, ProtocolVersion } from "../../src/codec/index.ts";
import { type AuthenticationResult, type Authenticator, ReasonCode } from "../../src/index.ts";
import {
  Bystander,
  conformanceTest,
  connectPacket,
  everyVersion,
  onlyV3,
  onlyV5,
} from "./harness/index.ts";

const { v5 } = ProtocolVersion;

conformanceTest(
  "3.1.1 [MQTT-3.2.0-1] [MQTT-3.2.2-1] [MQTT-3.1.4-4] CONNACK is the first packet, four bytes",
  { versions: onlyV3 },
  async (world) => {
    const client = await world.open();
    client.send(connectPacket(world.version), "c000");
    await client.expectBytes("20 02 00 00  d0 00");
  },
);

conformanceTest(
  "5.0 [MQTT-3.2.0-1] [MQTT-3.1.4-5] [MQTT-3.2.2-1] [MQTT-3.2.2-20] CONNACK names the limits that hold, and no more",
  {
    versions: onlyV5,
    broker: { limits: { receiveMaximum: 16, topicAliasMax: 8, packetBytesMax: 65_536 } },
  },
  async (world) => {
    const client = await world.open();
    client.send(connectPacket(world.version, { keepAliveSeconds: 60 }), "c000");
    await client.expectBytes("20 0e 00 00 0b  21 0010  22 0008  27 00010000");
    await client.expectBytes("d000");
  },
);

conformanceTest(
  "5.0 [MQTT-3.2.2-18] without topic aliases CONNACK says 0 or nothing",
  { versions: onlyV5, broker: { limits: { topicAliasMax: 0 } } },
  async (world) => {
    const { connack } = await world.connect();
    assert.equal(connack?.properties.topicAliasMaximum ?? 0, 0);
  },
);

const refusals: readonly { reasonCode: ReasonCode; returnCode: number }[] = [
  { reasonCode: ReasonCode.badUserNameOrPassword, returnCode: 4 },
  { reasonCode: ReasonCode.notAuthorized, returnCode: 5 },
  { reasonCode: ReasonCode.banned, returnCode: 5 },
  { reasonCode: ReasonCode.serverUnavailable, returnCode: 3 },
  { reasonCode: ReasonCode.serverBusy, returnCode: 3 },
];

function authenticatorThat(answer: () => AuthenticationResult | Promise<AuthenticationResult>): {
  authenticator: Authenticator;
} {
  const authenticate: Authenticator["authenticate"] = ({ clientIdentifier }) =>
    clientIdentifier === "raw"
      ? answer()
      : { allowed: true, userName: undefined, rule: "only raw is looked at" };
  return { authenticator: { authenticate } };
}

for (const { reasonCode, returnCode } of refusals) {
  const refused = {
    allowed: false,
    reasonCode,
    rule: "the rule is nobody else's business",
  } as const;
  for (const [how, answer] of [
    ["at once", () => refused],
    ["later", () => Promise.resolve(refused)],
  ] as const) {
    conformanceTest(
      `5.0 [MQTT-3.1.4-2] [MQTT-3.2.2-7] [MQTT-3.2.2-8], 3.1.1 [MQTT-3.2.2-5] refused ${how}: 0x${reasonCode.toString(16)}, in 3.x ${returnCode}`,
      { versions: everyVersion, broker: authenticatorThat(answer) },
      async (world) => {
        const bystander = await Bystander.start(world);
        const client = await world.open();
        client.send(connectPacket(world.version));
        const connack = await client.expectRefused(world.version === v5 ? reasonCode : returnCode);
        assert.doesNotMatch(connack.properties.reasonString ?? "", /nobody else/);
        await bystander.expectUndisturbed();
      },
    );
  }
}

/** Codes that CONNACK does not have, success among them. */
for (const reasonCode of [0x00, 0x04, 0x18, 0x8b, 0x8d, 0x8e, 0x93] as const) {
  const answer = () => ({ allowed: false, reasonCode, rule: "a code of other packets" }) as const;
  conformanceTest(
    `5.0 [MQTT-3.2.2-8] [MQTT-3.2.2-7], 3.1.1 [MQTT-3.2.2-5] refused with 0x${reasonCode.toString(16)}, which CONNACK does not have: not authorized`,
    { versions: everyVersion, broker: authenticatorThat(answer) },
    async (world) => {
      const client = await world.open();
      client.send(connectPacket(world.version));
      await client.expectRefused(world.version === v5 ? 0x87 : 5);
    },
  );
}

for (const [how, answer] of [
  [
    "throws",
    () => {
      throw new Error("broken");
    },
  ],
  ["fails later", () => Promise.reject(new Error("broken"))],
] as const) {
  conformanceTest(
    `an authenticator that ${how} lets nobody in and harms nobody`,
    { versions: everyVersion, broker: authenticatorThat(answer) },
    async (world) => {
      const bystander = await Bystander.start(world);
      const client = await world.open();
      client.send(connectPacket(world.version), "c000");
      await client.expectRefused(world.version === v5 ? 0x88 : 0x03);
      await bystander.expectUndisturbed();
    },
  );
}

conformanceTest(
  "5.0 section 4.13, 3.1.1 section 3.2.2.3: beyond connectionsMax the server is busy",
  { versions: everyVersion, broker: { limits: { connectionsMax: 2 } } },
  async (world) => {
    const bystander = await Bystander.start(world);
    const client = await world.open();
    client.send(connectPacket(world.version));
    await client.expectRefused(world.version === v5 ? 0x89 : 3);
    await bystander.expectUndisturbed();
  },
);

conformanceTest(
  "beyond sessionsMax: 0x97, in 3.x return code 3; a session that is there goes on",
  { versions: everyVersion, broker: { limits: { sessionsMax: 2 } } },
  async (world) => {
    const bystander = await Bystander.start(world);
    const client = await world.open();
    client.send(connectPacket(world.version));
    await client.expectRefused(world.version === v5 ? 0x97 : 3);
    await bystander.expectUndisturbed();
    const again = await world.connect({ clientIdentifier: "bystander-pub" });
    await again.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-28] response information is returned when it was asked for, and only then",
  { versions: onlyV5 },
  async (world) => {
    const asked = await world.connect({ properties: { requestResponseInformation: true } });
    assert.match(asked.connack?.properties.responseInformation ?? "", /./);
    const declined = await world.connect({ properties: { requestResponseInformation: false } });
    assert.equal(declined.connack?.properties.responseInformation, undefined);
    const { connack } = await world.connect();
    assert.equal(connack?.properties.responseInformation, undefined);
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-21] [MQTT-3.2.2-21] a keep alive beyond keepAliveSecondsMax is cut, and so is none",
  { versions: onlyV5, broker: { limits: { keepAliveSecondsMax: 100 } } },
  async (world) => {
    for (const keepAliveSeconds of [101, 65_535, 0]) {
      const client = await world.connect({ keepAliveSeconds });
      assert.equal(client.connack?.properties.serverKeepAlive, 100);
      world.clock.advanceSeconds(149);
      await client.ping();
      world.clock.advanceSeconds(151);
      await client.expectDisconnected(0x8d);
    }
    const { connack } = await world.connect({ keepAliveSeconds: 100 });
    assert.equal(connack?.properties.serverKeepAlive, undefined);
  },
);

conformanceTest(
  "5.0 [MQTT-3.2.2-22] keepAliveSecondsMax 0 leaves the keep alive to the client",
  { versions: onlyV5, broker: { limits: { keepAliveSecondsMax: 0 } } },
  async (world) => {
    const client = await world.connect({ keepAliveSeconds: 10 });
    assert.equal(client.connack?.properties.serverKeepAlive, undefined);
    world.clock.advanceSeconds(15);
    await client.expectDisconnected(0x8d);
  },
);

conformanceTest(
  "5.0 section 3.2.2.3.2: a session expiry beyond the limit is cut, and the client told; one within is not named",
  { versions: onlyV5, broker: { limits: { sessionExpirySecondsMax: 1000 } } },
  async (world) => {
    for (const [asked, told] of [
      [1001, 1000],
      [0xffff_ffff, 1000],
      [1000, undefined],
      [0, undefined],
    ] as const) {
      const { connack } = await world.connect({ properties: { sessionExpiryInterval: asked } });
      assert.equal(connack?.properties.sessionExpiryInterval, told, `asked for ${asked}`);
    }
  },
);

/** CONNACK of the default limits: 5 bytes, topic alias maximum 3, maximum packet size 5. */
const connackBytes = 13;

conformanceTest(
  "5.0 [MQTT-3.1.2-24] [MQTT-3.2.2-19] a refusal leaves its reason string away when that does not fit",
  { versions: onlyV5, broker: { limits: { clientIdentifierBytesMax: 23 } } },
  async (world) => {
    for (const [maximumPacketSize, hasReason] of [
      [5, false],
      [10_000, true],
    ] as const) {
      const client = await world.open();
      const properties = { maximumPacketSize };
      client.send(connectPacket(v5, { clientIdentifier: "more than 23 characters.", properties }));
      const connack = await client.expectRefused(0x85);
      assert.equal(connack.properties.reasonString !== undefined, hasReason);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-24] a client that cannot take its CONNACK is not left waiting for it",
  { versions: onlyV5 },
  async (world) => {
    const fitting = { maximumPacketSize: connackBytes };
    const client = await world.connect({ properties: fitting });
    await client.ping();
    const properties = { maximumPacketSize: connackBytes - 1 };
    const tight = await world.open();
    tight.send(connectPacket(v5, { clientIdentifier: "tight", properties }));
    await tight.expectClosed();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-24] [MQTT-3.2.2-7] a refusal that is too large for the client even without words: the end alone",
  { versions: onlyV5, broker: { limits: { clientIdentifierBytesMax: 23 } } },
  async (world) => {
    const clientIdentifier = "more than 23 characters.";
    const fitting = await world.open();
    fitting.send(connectPacket(v5, { clientIdentifier, properties: { maximumPacketSize: 5 } }));
    await fitting.expectBytes("20 03 00 85 00");
    await fitting.expectClosed();
    for (const maximumPacketSize of [1, 4]) {
      const client = await world.open();
      client.send(connectPacket(v5, { clientIdentifier, properties: { maximumPacketSize } }));
      await client.expectClosed();
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-24] the identifier that CONNACK assigns counts too; whoever cannot take it leaves no will",
  { versions: onlyV5 },
  async (world) => {
    const watcher = await world.connect();
    await watcher.subscribe("will", { qos: 0 });
    const will = { topic: "will", payload: Buffer.from("x"), qos: 0 as const, retain: false };
    const client = await world.open();
    const properties = { maximumPacketSize: connackBytes };
    client.send(
      connectPacket(v5, { clientIdentifier: "", properties, will: { ...will, properties: {} } }),
    );
    await client.expectClosed();
    await watcher.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.2.0-1], 3.1.1 [MQTT-3.2.0-1] nothing but CONNACK comes first, however much waits for the session",
  { versions: everyVersion },
  async (world) => {
    const properties: Properties = world.version === v5 ? { sessionExpiryInterval: 100 } : {};
    const fields = { clientIdentifier: "kept", properties, cleanStart: false };
    const before = await world.connect(fields);
    await before.subscribe("t");
    before.send("e000");
    await before.expectClosed();
    for (const payload of ["1", "2", "3"]) world.broker.publish("t", payload, { qos: 1 });
    const client = await world.connect(fields);
    for (const payload of ["1", "2", "3"]) {
      const message = await client.expectPacket(PacketType.publish);
      assert.equal(Buffer.from(message.payload).toString(), payload);
    }
  },
);
