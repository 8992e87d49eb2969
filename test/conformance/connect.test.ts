/** 5.0 section 3.1, 3.1.1 section 3.1: CONNECT, its protocol name and level, its flags and its payload. */
import assert from "node:assert/strict";
import { PacketType, ProtocolVersion } from "../../src/codec/index.ts";
import type { AuthenticationRequest } from "../../src/index.ts";
import {
  Bystander,
  conformanceTest,
  connectBytes,
  connectPacket,
  everyVersion,
  expectConnectRefused,
  expectEnds,
  field,
  onlyV3,
  onlyV3_1_1,
  onlyV5,
  publishPacket,
} from "./harness/index.ts";

const { v3_1, v3_1_1, v5 } = ProtocolVersion;
const malformedPacket = 0x81;
const protocolError = 0x82;

const firstPackets = {
  PUBLISH: "30 03 0001 74",
  SUBSCRIBE: "82 06 0001 0001 74 00",
  PINGREQ: "c0 00",
  DISCONNECT: "e0 00",
  AUTH: "f0 00",
  CONNACK: "20 02 0000",
  "a packet of type 0": "00 00",
};

for (const [name, bytes] of Object.entries(firstPackets)) {
  conformanceTest(
    `5.0 [MQTT-3.1.0-1] [MQTT-3.14.0-1], 3.1.1 [MQTT-3.1.0-1] ${name} before CONNECT ends the connection without a word`,
    { versions: everyVersion },
    async (world) => {
      const bystander = await Bystander.start(world);
      const client = await world.open();
      client.send(bytes, connectPacket(world.version));
      await client.expectClosed();
      await bystander.expectUndisturbed();
    },
  );
}

conformanceTest(
  "5.0 [MQTT-3.1.0-2], 3.1.1 [MQTT-3.1.0-2] a second CONNECT ends the connection",
  { versions: everyVersion },
  (world) => expectEnds(world, connectPacket(world.version), protocolError),
);

conformanceTest(
  "5.0 [MQTT-3.1.0-2] [MQTT-3.2.0-2], 3.1.1 [MQTT-3.1.0-2] a second CONNECT right behind the first ends the connection, with one CONNACK",
  { versions: everyVersion },
  async (world) => {
    const client = await world.open();
    client.send(connectPacket(world.version), connectPacket(world.version));
    await client.expectPacket(PacketType.connack);
    await client.expectDisconnected(protocolError);
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.0-2], 3.1.1 [MQTT-3.1.0-2] a second CONNECT takes nothing over and changes nothing; the first one's will goes out",
  { versions: everyVersion },
  async (world) => {
    const watcher = await world.connect();
    await watcher.subscribe("#", { qos: 0 });
    const other = await world.connect({ clientIdentifier: "other" });
    const willOn = (topic: string) => {
      const payload = Buffer.from("x");
      return { topic, payload, qos: 0 as const, retain: false, properties: {} };
    };
    const client = await world.connect({ will: willOn("first") });
    client.send(
      connectPacket(world.version, { clientIdentifier: "other", will: willOn("second") }),
      publishPacket("behind", "x"),
    );
    await client.expectDisconnected(protocolError);
    assert.equal((await watcher.expectPacket(PacketType.publish)).topic, "first");
    await watcher.ping();
    await other.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.0-2] [MQTT-3.14.2-1], 3.1.1 [MQTT-3.1.0-2] a second CONNECT that is wrong inside is a second CONNECT first",
  { versions: everyVersion },
  async (world) => {
    const { version } = world;
    await expectEnds(world, connectBytes(version, { level: "06" }), protocolError);
    await expectEnds(world, connectBytes(version, { protocolName: field("HTTP") }), protocolError);
    await expectEnds(world, connectBytes(version, { payload: "" }), protocolError);
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-1], 3.1.1 [MQTT-3.1.2-1] another protocol name ends the connection",
  { versions: everyVersion },
  async (world) => {
    for (const name of ["mqtt", "MQTTT", "MQT", "", "HTTP", "MQIsdP"]) {
      const client = await world.open();
      client.send(connectBytes(world.version, { protocolName: field(name) }));
      await client.expectClosed();
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-2] a later protocol level is answered with 0x84",
  { versions: onlyV5 },
  async (world) => {
    for (const level of ["06", "07", "7f"]) {
      const client = await world.open();
      client.send(connectBytes(v5, { level }), "c000");
      await client.expectRefused(0x84);
    }
  },
);

conformanceTest(
  "3.1.1 [MQTT-3.1.2-2] an earlier or unknown protocol level is answered with return code 1",
  { versions: onlyV3_1_1 },
  async (world) => {
    const strange = [
      { level: "00" },
      { level: "02" },
      { level: "03" },
      { level: "ff" },
      { protocolName: field("MQIsdp"), level: "04" },
    ];
    for (const fields of strange) {
      const client = await world.open();
      client.send(connectBytes(v3_1_1, fields), "c000");
      await client.expectBytes("20 02 00 01");
      await client.expectClosed();
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-3], 3.1.1 [MQTT-3.1.2-3] [MQTT-3.1.4-1] [MQTT-3.2.2-6] the reserved connect flag is 0",
  { versions: [v3_1_1, v5] },
  (world) =>
    expectConnectRefused(world, connectBytes(world.version, { flags: "03" }), malformedPacket),
);

const willFlags = {
  "a will QoS without a will: 5.0 [MQTT-3.1.2-11], 3.1.1 [MQTT-3.1.2-11] [MQTT-3.1.2-13]": "0a",
  "a will QoS of 2 without a will: 5.0 [MQTT-3.1.2-11], 3.1.1 [MQTT-3.1.2-13]": "12",
  "will retain without a will: 5.0 [MQTT-3.1.2-13], 3.1.1 [MQTT-3.1.2-15]": "22",
};

for (const [what, flags] of Object.entries(willFlags)) {
  conformanceTest(`${what} is malformed`, { versions: [v3_1_1, v5] }, (world) =>
    expectConnectRefused(world, connectBytes(world.version, { flags }), malformedPacket),
  );
}

conformanceTest(
  "5.0 [MQTT-3.1.2-12], 3.1.1 [MQTT-3.1.2-14] a will QoS of 3 is malformed",
  { versions: everyVersion },
  async (world) => {
    const properties = world.version === v5 ? "00" : "";
    const payload = `${field("raw")}${properties}${field("will")}${field("gone")}`;
    const bytes = connectBytes(world.version, { flags: "1e", payload });
    await expectConnectRefused(world, bytes, malformedPacket);
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-9], 3.1.1 [MQTT-3.1.2-9] a will flag without its fields is malformed",
  { versions: everyVersion },
  async (world) => {
    const properties = world.version === v5 ? "00" : "";
    const withoutProperties = `${field("will")}${field("gone")}`;
    const rests = ["", properties, `${properties}${field("will")}`];
    if (world.version === v5) rests.push(withoutProperties);
    for (const rest of rests) {
      const payload = `${field("raw")}${rest}`;
      const bytes = connectBytes(world.version, { flags: "06", payload });
      await expectConnectRefused(world, bytes, malformedPacket);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-16] [MQTT-3.1.2-18], 3.1.1 [MQTT-3.1.2-18] [MQTT-3.1.2-20] [MQTT-3.1.2-11] [MQTT-3.2.2-6] fields without their flags are malformed",
  { versions: everyVersion },
  async (world) => {
    const user = `${field("raw")}${field("user")}`;
    await expectConnectRefused(world, connectBytes(world.version, { payload: user }), 0x81);
    const both = connectBytes(world.version, { flags: "82", payload: `${user}${field("pass")}` });
    await expectConnectRefused(world, both, 0x81);
    const properties = world.version === v5 ? "00" : "";
    const will = `${field("raw")}${properties}${field("will")}${field("gone")}`;
    await expectConnectRefused(world, connectBytes(world.version, { payload: will }), 0x81);
  },
);

conformanceTest(
  "5.0 [MQTT-2.2.2-1] [MQTT-3.1.4-1] CONNECT without a property length is malformed",
  { versions: onlyV5 },
  (world) => expectConnectRefused(world, connectBytes(v5, { properties: "" }), malformedPacket),
);

conformanceTest(
  "5.0 [MQTT-3.1.2-17] [MQTT-3.1.2-19], 3.1.1 [MQTT-3.1.2-19] [MQTT-3.1.2-21] flags without their fields are malformed",
  { versions: [v3_1_1, v5] },
  async (world) => {
    await expectConnectRefused(world, connectBytes(world.version, { flags: "82" }), 0x81);
    const payload = `${field("raw")}${field("user")}`;
    await expectConnectRefused(world, connectBytes(world.version, { flags: "c2", payload }), 0x81);
  },
);

conformanceTest(
  "3.1: flags of user name and password without their fields are disregarded (MQTT 3.1, section 3.1)",
  { versions: [v3_1] },
  async (world) => {
    const client = await world.open();
    client.send(connectBytes(v3_1, { flags: "c2" }));
    await client.expectBytes("20 02 00 00");
  },
);

conformanceTest(
  "3.1.1 [MQTT-3.1.2-22] a password needs a user name",
  { versions: onlyV3 },
  async (world) => {
    const payload = `${field("raw")}${field("pass")}`;
    await expectConnectRefused(world, connectBytes(world.version, { flags: "42", payload }), 0x81);
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.3-3], 3.1.1 [MQTT-3.1.3-3] CONNECT without a client identifier field is malformed",
  { versions: everyVersion },
  (world) => expectConnectRefused(world, connectBytes(world.version, { payload: "" }), 0x81),
);

conformanceTest(
  "5.0 [MQTT-4.7.3-1] [MQTT-3.1.4-1], 3.1.1 [MQTT-3.1.4-1] a will topic with a wildcard, or an empty one, is refused with 0x90",
  { versions: everyVersion },
  async (world) => {
    for (const topic of ["a/#", "+/b", ""]) {
      const will = {
        topic,
        payload: Buffer.from(""),
        qos: 0 as const,
        retain: false,
        properties: {},
      };
      await expectConnectRefused(world, connectPacket(world.version, { will }), 0x90);
    }
  },
);

/** Asks for nothing, and remembers what it was given. */
function remembering(): { requests: AuthenticationRequest[]; broker: object } {
  const requests: AuthenticationRequest[] = [];
  const authenticate = (request: AuthenticationRequest) => {
    requests.push(request);
    return { allowed: true as const, userName: request.userName, rule: "test" };
  };
  return { requests, broker: { authenticator: { authenticate } } };
}

const { requests, broker } = remembering();

conformanceTest(
  "5.0 [MQTT-3.1.3-1] [MQTT-3.1.3-12], 3.1.1 [MQTT-3.1.3-1] the fields of the payload are read in their order",
  { versions: everyVersion, broker },
  async (world) => {
    requests.length = 0;
    const client = await world.open();
    const watcher = await world.connect();
    await watcher.subscribe("the/will", { qos: 0 });
    const properties = world.version === v5 ? "00" : "";
    const will = `${properties}${field("the/will")}${field("gone")}`;
    const payload = `${field("me")}${will}${field("user")}${field("secret")}`;
    client.send(connectBytes(world.version, { flags: "c6", payload }));
    await client.expectPacket(PacketType.connack);
    const [, { clientIdentifier, userName, password }] = requests;
    assert.deepEqual([clientIdentifier, userName], ["me", "user"]);
    assert.equal(Buffer.from(password ?? "").toString(), "secret");
    client.destroy();
    const message = await watcher.expectPacket(PacketType.publish);
    assert.deepEqual(
      [message.topic, Buffer.from(message.payload).toString()],
      ["the/will", "gone"],
    );
  },
);

conformanceTest(
  "5.0: a password without a user name is allowed, and may hold any bytes",
  { versions: onlyV5, broker },
  async (world) => {
    requests.length = 0;
    const client = await world.open();
    const password = Buffer.from([0, 0xff, 0xc3, 0x28]);
    client.send(connectBytes(v5, { flags: "42", payload: `${field("me")}${field(password)}` }));
    await client.expectPacket(PacketType.connack);
    assert.equal(requests[0].userName, undefined);
    assert.ok(password.equals(requests[0].password ?? new Uint8Array()));
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.4-6], 3.1.1 [MQTT-3.1.4-5] nothing behind a refused CONNECT is handled",
  {
    versions: everyVersion,
    broker: {
      authenticator: {
        authenticate: ({ clientIdentifier }) =>
          clientIdentifier === "stranger"
            ? { allowed: false, reasonCode: 0x87, rule: "test" }
            : { allowed: true, userName: undefined, rule: "test" },
      },
    },
  },
  async (world) => {
    const watcher = await world.connect();
    await watcher.subscribe("#");
    const client = await world.open();
    const stranger = connectPacket(world.version, { clientIdentifier: "stranger" });
    client.send(stranger, publishPacket("t", "x"), publishPacket("t", "x", { retain: true }));
    await client.expectRefused(world.version === v5 ? 0x87 : 5);
    await watcher.ping();
  },
);

conformanceTest(
  "5.0 and 3.1.1, section 3.1.4: packets may follow CONNECT without waiting for CONNACK",
  { versions: everyVersion },
  async (world) => {
    const client = await world.open();
    client.send(
      connectPacket(world.version),
      { ...publishPacket("t", "x"), qos: 1, packetIdentifier: 7, retain: true },
      "c000",
    );
    await client.expectPacket(PacketType.connack);
    await client.expectBytes("d000"); // PUBACK may wait until the message is kept
    assert.equal((await client.expectPacket(PacketType.puback)).packetIdentifier, 7);
  },
);
