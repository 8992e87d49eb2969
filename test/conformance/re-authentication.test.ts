/** 5.0 sections 3.15 and 4.12.1: AUTH on a connection that stands, which authenticates anew. */
import { PacketType } from "../../src/codec/index.ts";
import { ReasonCode } from "../../src/index.ts";
import {
  Bystander,
  conformanceTest,
  field,
  onlyV5,
  packetBytes,
  propertyBytes,
  publishPacket,
} from "./harness/index.ts";
import { anew, auth, authenticated, broker, expectAuth, goOn, method } from "./reverse-method.ts";

const versions = onlyV5;

conformanceTest(
  "5.0 [MQTT-4.12.1-1] [MQTT-4.12.0-5] a client authenticates anew, and its connection goes on meanwhile",
  { versions, broker },
  async (world) => {
    const client = await authenticated(world);
    await client.subscribe("t", { qos: 0 });
    client.send(auth(anew, "challenge"));
    await expectAuth(client, goOn, "challenge");
    world.broker.publish("t", "x");
    await client.expectPacket(PacketType.publish);
    await client.ping();
    client.send(auth(goOn, "egnellahc"));
    await expectAuth(client, ReasonCode.success, "fine");
    client.send(auth(anew, "welcome"));
    await expectAuth(client, ReasonCode.success, undefined);
    await client.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-4.12.1-2] a client that fails to authenticate anew is disconnected",
  { versions, broker },
  async (world) => {
    const bystander = await Bystander.start(world);
    const atOnce = await authenticated(world);
    atOnce.send(auth(anew, "nonsense"), "c000");
    await atOnce.expectDisconnected(ReasonCode.notAuthorized);
    const challenged = await authenticated(world);
    challenged.send(auth(anew, "challenge"));
    await expectAuth(challenged, goOn, "challenge");
    challenged.send(auth(goOn, "nonsense"));
    await challenged.expectDisconnected(ReasonCode.notAuthorized);
    await bystander.expectUndisturbed();
  },
);

conformanceTest(
  "5.0 [MQTT-4.12.1-2] a client that authenticates anew as somebody else is disconnected",
  { versions, broker },
  async (world) => {
    const client = await authenticated(world);
    client.send(auth(anew, "as bob"), "c000");
    await client.expectDisconnected(ReasonCode.notAuthorized);
  },
);

conformanceTest(
  "5.0 [MQTT-3.14.2-1] [MQTT-4.12.1-2] a method may refuse anew with any code; DISCONNECT says one that it has",
  { versions, broker },
  async (world) => {
    for (const [code, told] of [
      ["0x80", 0x80],
      ["0x87", 0x87],
      ["0x8c", 0x8c],
      // codes of CONNACK alone, of other packets, and of no failure
      ["0x84", 0x87],
      ["0x86", 0x87],
      ["0x88", 0x87],
      ["0x8a", 0x87],
      ["0x91", 0x87],
      ["0x0", 0x87],
      ["0x4", 0x87],
    ] as const) {
      const client = await authenticated(world);
      client.send(auth(anew, `refuse with ${code}`));
      await client.expectDisconnected(told);
    }
  },
);

conformanceTest(
  "5.0 section 4.12.1: what was sent behind an AUTH that fails is not handled",
  { versions, broker },
  async (world) => {
    const watcher = await world.connect();
    await watcher.subscribe("#", { qos: 0 });
    const client = await authenticated(world);
    client.send(auth(anew, "nonsense"), publishPacket("t", "x"));
    await client.expectDisconnected(ReasonCode.notAuthorized);
    await watcher.ping();
  },
);

const wrongAnew = {
  "5.0 [MQTT-4.12.1-1] with another method": auth(anew, "welcome", "OTHER"),
  "with reason 0x18 and no exchange under way": auth(goOn, "welcome"),
  "5.0 [MQTT-3.15.2-1] with reason 0, which is the server's": auth(ReasonCode.success, "welcome"),
  "5.0 [MQTT-4.12.0-5] without a method": "f0 02 19 00",
  "5.0 [MQTT-4.12.0-5] without anything": "f0 00",
  "5.0 [MQTT-4.12.0-5] with data and no method": packetBytes(
    "f0",
    `19${propertyBytes(`16 ${field("welcome")}`)}`,
  ),
};

for (const [what, packet] of Object.entries(wrongAnew)) {
  conformanceTest(
    `5.0 AUTH on a connection that stands, ${what}, is a protocol error`,
    { versions, broker },
    async (world) => {
      const client = await authenticated(world);
      client.send(packet);
      await client.expectDisconnected(ReasonCode.protocolError);
    },
  );
}

conformanceTest(
  "5.0 [MQTT-3.15.1-1] [MQTT-3.15.2-1] AUTH with reserved flags, or with a reason that it does not have",
  { versions, broker },
  async (world) => {
    const flagged = await authenticated(world);
    flagged.send("f2 0c 19 0a 15 0007 52455645525345");
    await flagged.expectDisconnected(ReasonCode.malformedPacket);
    const strange = await authenticated(world);
    strange.send("f0 0c 87 0a 15 0007 52455645525345");
    await strange.expectDisconnected(ReasonCode.protocolError);
  },
);

const named = `15 ${field(method)}`;

const brokenProperties = [
  { what: "an unknown property", bytes: `${named} 04 00`, code: 0x81 },
  { what: "a property of another packet", bytes: `${named} 11 00000001`, code: 0x81 },
  { what: "its method twice", bytes: `${named} ${named}`, code: 0x82 },
  { what: "its data twice", bytes: `${named} 16 0000 16 0000`, code: 0x82 },
  { what: "a reason string that is not UTF-8", bytes: `${named} 1f 0001 ff`, code: 0x81 },
  { what: "a user property that is not UTF-8", bytes: `${named} 26 0001 6e 0001 80`, code: 0x81 },
];

for (const { what, bytes, code } of brokenProperties) {
  conformanceTest(
    `5.0 [MQTT-4.13.1-1] [MQTT-1.5.4-1] AUTH with ${what} ends the connection`,
    { versions, broker },
    async (world) => {
      const client = await authenticated(world);
      client.send(packetBytes("f0", `19${propertyBytes(bytes)}`));
      await client.expectDisconnected(code);
    },
  );
}

conformanceTest(
  "5.0 section 3.15.2: AUTH may bring a reason string and user properties",
  { versions, broker },
  async (world) => {
    const client = await authenticated(world);
    const data = `16 ${field("welcome")}`;
    const words = `1f ${field("why")} 26 ${field("n")}${field("1")} 26 ${field("n")}${field("2")}`;
    client.send(packetBytes("f0", `19${propertyBytes(named, data, words)}`));
    await expectAuth(client, ReasonCode.success, undefined);
    await client.ping();
  },
);
