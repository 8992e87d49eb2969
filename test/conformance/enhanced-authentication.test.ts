/** 5.0 sections 3.15 and 4.12: AUTH, enhanced authentication and re-authentication, by a method of one challenge. */
import assert from "node:assert/strict";
import { type AuthPacket, type ConnectPacket, PacketType } from "../../src/codec/index.ts";
import {
  type AuthenticationRequest,
  type AuthenticationStep,
  type BrokerOptions,
  type EnhancedAuthenticator,
  ReasonCode,
} from "../../src/index.ts";
import {
  Bystander,
  conformanceTest,
  connectPacket,
  onlyV3,
  onlyV5,
  publishPacket,
  type RawClient,
  type World,
} from "./harness/index.ts";

const versions = onlyV5;
const method = "REVERSE";
const allowed = { outcome: "success", userName: "ann", rule: "test" } as const;
const refused = { outcome: "failure", reasonCode: ReasonCode.notAuthorized, rule: "test" } as const;

/** "challenge" asks for its letters in reverse; "welcome" lets in at once, "later" after a moment; the rest is refused. */
function answer(data: string, isChallenged: boolean): AuthenticationStep {
  if (isChallenged)
    return data === "egnellahc" ? { ...allowed, data: Buffer.from("fine") } : refused;
  if (data === "as bob") return { ...allowed, userName: "bob", data: undefined };
  if (data === "challenge") return { outcome: "continue", data: Buffer.from("challenge") };
  return data === "welcome" || data === "later" ? { ...allowed, data: undefined } : refused;
}

const reverse: EnhancedAuthenticator = {
  method,
  begin(_request: AuthenticationRequest) {
    let isChallenged = false;
    return {
      next(bytes) {
        const data = Buffer.from(bytes ?? "").toString();
        if (data === "throw") throw new Error("broken");
        const step = answer(data, isChallenged);
        isChallenged = true;
        return data === "later" ? Promise.resolve(step) : step;
      },
    };
  },
};

const broker: BrokerOptions = { enhancedAuthenticators: [reverse] };

function connectWith(data: string | undefined, fields: Partial<ConnectPacket> = {}): ConnectPacket {
  const authenticationData = data === undefined ? {} : { authenticationData: Buffer.from(data) };
  return connectPacket(5, {
    ...fields,
    properties: { authenticationMethod: method, ...authenticationData, ...fields.properties },
  });
}

function auth(reasonCode: AuthPacket["reasonCode"], data: string, name = method): AuthPacket {
  return {
    type: PacketType.auth,
    reasonCode,
    properties: { authenticationMethod: name, authenticationData: Buffer.from(data) },
  };
}

const goOn = ReasonCode.continueAuthentication;
const anew = ReasonCode.reAuthenticate;

async function expectAuth(client: RawClient, reasonCode: number, data?: string): Promise<void> {
  const packet = await client.expectPacket(PacketType.auth);
  assert.equal(packet.reasonCode, reasonCode);
  assert.equal(packet.properties.authenticationMethod, method); // [MQTT-4.12.0-5]
  const { authenticationData } = packet.properties;
  assert.equal(authenticationData && Buffer.from(authenticationData).toString(), data);
}

/** A client that was let in by a challenge. */
async function authenticated(world: World): Promise<RawClient> {
  const client = await world.open();
  client.send(connectWith("welcome"));
  await client.expectPacket(PacketType.connack);
  return client;
}

conformanceTest(
  "5.0 [MQTT-4.12.0-2] [MQTT-4.12.0-3] [MQTT-4.12.0-5] CONNECT, a challenge, its answer, CONNACK",
  { versions, broker },
  async (world) => {
    const client = await world.open();
    client.send(connectWith("challenge", { clientIdentifier: "" }));
    await expectAuth(client, goOn, "challenge");
    client.send(auth(goOn, "egnellahc"));
    const { reasonCode, properties } = await client.expectPacket(PacketType.connack);
    assert.equal(reasonCode, 0);
    assert.equal(properties.authenticationMethod, method);
    assert.equal(Buffer.from(properties.authenticationData ?? "").toString(), "fine");
    assert.match(properties.assignedClientIdentifier ?? "", /./);
    await client.ping();
  },
);

for (const data of ["welcome", "later"]) {
  conformanceTest(
    `5.0 [MQTT-4.12.0-5] a method that is satisfied with CONNECT's data: CONNACK names it (${data})`,
    { versions, broker },
    async (world) => {
      const client = await world.open();
      client.send(connectWith(data), publishPacket("t", "x", { qos: 1, packetIdentifier: 1 }));
      const { properties } = await client.expectPacket(PacketType.connack);
      assert.equal(properties.authenticationMethod, method);
      assert.equal(properties.authenticationData, undefined);
      await client.expectPacket(PacketType.puback);
    },
  );
}

conformanceTest(
  "5.0 [MQTT-4.12.0-1] a method that the broker does not know is refused with 0x8C",
  { versions, broker },
  async (world) => {
    const client = await world.open();
    const properties = { authenticationMethod: "reverse" };
    client.send(connectPacket(5, { properties }));
    await client.expectRefused(ReasonCode.badAuthenticationMethod);
  },
);

conformanceTest(
  "5.0 [MQTT-4.12.0-1] a broker without methods refuses all",
  { versions },
  async (world) => {
    const client = await world.open();
    client.send(connectWith("welcome"));
    await client.expectRefused(ReasonCode.badAuthenticationMethod);
  },
);

conformanceTest(
  "5.0 [MQTT-4.12.0-4] the broker may refuse at any point",
  { versions, broker },
  async (world) => {
    const bystander = await Bystander.start(world);
    const atOnce = await world.open();
    atOnce.send(connectWith("nonsense"));
    await atOnce.expectRefused(ReasonCode.notAuthorized);
    const without = await world.open();
    without.send(connectWith(undefined));
    await without.expectRefused(ReasonCode.notAuthorized);
    const challenged = await world.open();
    challenged.send(connectWith("challenge"));
    await expectAuth(challenged, goOn, "challenge");
    challenged.send(auth(goOn, "challenge"), "c000");
    await challenged.expectRefused(ReasonCode.notAuthorized);
    await bystander.expectUndisturbed();
  },
);

conformanceTest(
  "a method that throws lets nobody in and harms nobody",
  { versions, broker },
  async (world) => {
    const bystander = await Bystander.start(world);
    const client = await world.open();
    client.send(connectWith("throw"), "c000");
    await client.expectRefused(ReasonCode.serverUnavailable);
    const challenged = await world.open();
    challenged.send(connectWith("challenge"));
    await expectAuth(challenged, goOn, "challenge");
    challenged.send(auth(goOn, "throw"));
    await challenged.expectRefused(ReasonCode.serverUnavailable);
    await bystander.expectUndisturbed();
  },
);

const notAllowed = {
  PINGREQ: "c000",
  SUBSCRIBE: "82 07 0001 00 0001 74 00",
  PUBLISH: "30 04 0001 74 00",
  "a second CONNECT": connectWith("challenge"),
  "AUTH with another method": auth(goOn, "egnellahc", "OTHER"),
  "AUTH that begins anew": auth(anew, "egnellahc"),
  "AUTH with reason 0, which is the server's": auth(ReasonCode.success, "egnellahc"),
  "AUTH without a method": "f0 02 18 00",
  "AUTH without anything": "f0 00",
};

for (const [what, packet] of Object.entries(notAllowed)) {
  conformanceTest(
    `5.0 [MQTT-3.1.2-30] [MQTT-4.12.0-3] [MQTT-4.12.0-5] [MQTT-3.15.2-1] ${what} before CONNACK ends the connection`,
    { versions, broker },
    async (world) => {
      const bystander = await Bystander.start(world);
      const client = await world.open();
      client.send(connectWith("challenge"));
      await expectAuth(client, goOn, "challenge");
      client.send(packet, auth(goOn, "egnellahc"));
      await client.expectClosed();
      await bystander.expectUndisturbed();
    },
  );
}

conformanceTest(
  "5.0 section 4.12: DISCONNECT may come before CONNACK, and leaves neither session nor will",
  { versions, broker },
  async (world) => {
    const watcher = await world.connect();
    await watcher.subscribe("will", { qos: 0 });
    const will = {
      topic: "will",
      payload: Buffer.from(""),
      qos: 0 as const,
      retain: false,
      properties: {},
    };
    const properties = { sessionExpiryInterval: 100 };
    const client = await world.open();
    client.send(connectWith("challenge", { will, properties }));
    await expectAuth(client, goOn, "challenge");
    client.send("e0 01 04");
    await client.expectClosed();
    await watcher.ping();
    const back = await world.connect({ clientIdentifier: "raw", cleanStart: false });
    assert.equal(back.connack?.sessionPresent, false);
  },
);

conformanceTest(
  "5.0 section 4.12: an answer that does not come ends the connection after connectSecondsMax",
  { versions, broker },
  async (world) => {
    const client = await world.open();
    client.send(connectWith("challenge"));
    await expectAuth(client, goOn, "challenge");
    world.clock.advanceSeconds(10);
    await client.expectClosed();
  },
);

conformanceTest(
  "5.0 [MQTT-4.12.0-6] [MQTT-4.12.0-7] without a method in CONNECT neither side sends AUTH",
  { versions, broker },
  async (world) => {
    const bystander = await Bystander.start(world);
    for (const reasonCode of [goOn, anew, ReasonCode.success]) {
      const client = await world.connect();
      assert.equal(client.connack?.properties.authenticationMethod, undefined);
      client.send(auth(reasonCode, "welcome"));
      await client.expectDisconnected(ReasonCode.protocolError);
    }
    await bystander.expectUndisturbed();
  },
);

conformanceTest(
  "3.1.1 [MQTT-4.8.0-1] 3.x has no AUTH",
  { versions: onlyV3, broker },
  async (world) => {
    const client = await world.connect();
    client.send("f0 0d 19 0b 15 0007 52455645525345 00");
    await client.expectClosed();
  },
);

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

const wrongAnew = {
  "5.0 [MQTT-4.12.1-1] with another method": auth(anew, "welcome", "OTHER"),
  "with reason 0x18 and no exchange under way": auth(goOn, "welcome"),
  "5.0 [MQTT-3.15.2-1] with reason 0, which is the server's": auth(ReasonCode.success, "welcome"),
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

conformanceTest(
  "5.0 [MQTT-3.15.2-2] [MQTT-3.15.2-3] [MQTT-3.1.2-24] AUTH holds method and data alone; one that the client cannot take ends the connection",
  { versions, broker },
  async (world) => {
    const client = await world.open();
    client.send(connectWith("challenge", { properties: { maximumPacketSize: 26 } }));
    await client.expectBytes("f0 18 18 16  15 0007 52455645525345  16 0009 6368616c6c656e6765");
    const tight = await world.open();
    tight.send(connectWith("challenge", { properties: { maximumPacketSize: 25 } }));
    await tight.expectClosed();
  },
);
