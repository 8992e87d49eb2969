/** What a listener has of its own: limits, who may come in, and what a refused PUBLISH leads to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Limits, ReasonCode } from "../../src/base/index.ts";
import type { ListenerSettings } from "../../src/broker/index.ts";
import { type ConnectPacket, PacketType, ProtocolVersion } from "../../src/codec/index.ts";
import { MemoryClient } from "./memory-client.ts";
import { TestBroker } from "./test-broker.ts";

const { v3_1_1, v5 } = ProtocolVersion;

class Hall extends TestBroker {
  /** A client at a listener with `settings`. */
  async comeIn(
    settings: ListenerSettings,
    name: string,
    fields: Partial<ConnectPacket> = {},
  ): Promise<MemoryClient> {
    const client = new MemoryClient(
      { core: this.core.acceptorFor(settings) },
      fields.protocolVersion,
    );
    client.connect(name, fields);
    await this.settle();
    return client;
  }
}

function codeOf(client: MemoryClient): number | undefined {
  const connack = client.packets.find((packet) => packet.type === PacketType.connack);
  return connack?.reasonCode;
}

test("each listener has limits of its own, and CONNACK tells them", async () => {
  const broker = new Hall({ limits: { topicAliasMax: 9 } });
  const settings = { limits: { packetBytesMax: 100, keepAliveSecondsMax: 7, receiveMaximum: 3 } };
  const client = await broker.comeIn(settings, "c", { keepAliveSeconds: 60 });
  const [connack] = client.packets;
  assert.ok(connack.type === PacketType.connack);
  const { maximumPacketSize, serverKeepAlive, receiveMaximum, topicAliasMaximum } =
    connack.properties;
  assert.deepEqual(
    { maximumPacketSize, serverKeepAlive, receiveMaximum, topicAliasMaximum },
    { maximumPacketSize: 100, serverKeepAlive: 7, receiveMaximum: 3, topicAliasMaximum: 9 },
  );
  client.publish("t", "x".repeat(100));
  assert.equal(client.isEnded, true);
  const other = await broker.connect("other");
  other.publish("t", "x".repeat(100));
  assert.equal(other.isEnded, false);
});

test("connectionsMax of a listener counts its own connections", async () => {
  const broker = new Hall();
  const acceptor = { core: broker.core.acceptorFor({ limits: { connectionsMax: 1 } }) };
  await broker.connect("elsewhere");
  const connect = async (name: string): Promise<MemoryClient> => {
    const client = new MemoryClient(acceptor);
    client.connect(name);
    await broker.settle();
    return client;
  };
  const first = await connect("first");
  assert.equal(codeOf(first), 0);
  assert.equal(codeOf(await connect("second")), ReasonCode.serverBusy);
  first.lose();
  // The refused one counts until its transport has closed: the broker has ended it already.
  assert.equal(codeOf(await connect("third")), 0);
});

test("limits of a connection: subscriptions, levels, identifier, session expiry", async () => {
  const broker = new Hall();
  const limits = {
    subscriptionsMax: 1,
    topicLevelsMax: 2,
    sessionExpirySecondsMax: 5,
    clientIdentifierBytesMax: 23,
  };
  const client = await broker.comeIn({ limits }, "c", {
    properties: { sessionExpiryInterval: 100 },
  });
  const [connack] = client.packets;
  assert.ok(connack.type === PacketType.connack);
  assert.equal(connack.properties.sessionExpiryInterval, 5);
  for (const filter of ["a/b", "a/b/c", "d"]) client.subscribe(filter);
  await broker.settle();
  const codes = client.packets.flatMap((packet) =>
    packet.type === PacketType.suback ? packet.reasonCodes : [],
  );
  assert.deepEqual(codes, [0, ReasonCode.topicFilterInvalid, ReasonCode.quotaExceeded]);
  const long = await broker.comeIn({ limits }, "x".repeat(24));
  assert.equal(codeOf(long), ReasonCode.clientIdentifierNotValid);
});

test("a limit that concerns more than one connection is no listener's", () => {
  const { core } = new Hall();
  const limits = { sessionsMax: 1 } as Partial<Limits>;
  assert.throws(() => core.acceptorFor({ limits }), /sessionsMax is no limit that a listener has/);
  assert.throws(() => core.acceptorFor({ limits: { connectionsMax: 0 } }), /connectionsMax/);
});

test("each listener asks its own authenticator, and its own methods of AUTH", async () => {
  const broker = new Hall();
  const refusing: ListenerSettings = {
    authenticator: {
      authenticate: () => ({ allowed: false, reasonCode: ReasonCode.banned, rule: "nobody" }),
    },
    enhancedAuthenticators: [
      {
        method: "yes",
        begin: () => ({
          next: () => ({ outcome: "success", data: undefined, userName: "ada", rule: "yes" }),
        }),
      },
    ],
  };
  assert.equal(codeOf(await broker.comeIn({}, "c")), 0);
  assert.equal(codeOf(await broker.comeIn(refusing, "d")), ReasonCode.banned);
  const properties = { authenticationMethod: "yes" };
  assert.equal(codeOf(await broker.comeIn(refusing, "e", { properties })), 0);
  const unknown = await broker.comeIn({}, "f", { properties });
  assert.equal(codeOf(unknown), ReasonCode.badAuthenticationMethod);
});

test("3.1.1 [MQTT-3.3.5-2] a refused PUBLISH is acknowledged, or ends the connection where the listener says so", async () => {
  const authorizer = { generation: 0, authorize: () => ({ allowed: false, rule: "nothing" }) };
  const broker = new Hall({ authorizer });
  for (const qos of [0, 1, 2] as const) {
    const patient = await broker.comeIn({}, "patient", { protocolVersion: v3_1_1 });
    patient.publish("t", "", { qos });
    await broker.settle();
    assert.equal(patient.isEnded, false);
    const settings = { refusedPublish: "disconnect" } as const;
    const strict = await broker.comeIn(settings, "strict", { protocolVersion: v3_1_1 });
    strict.publish("t", "", { qos });
    await broker.settle();
    assert.deepEqual([strict.isEnded, strict.packetTypes], [true, [PacketType.connack]]);
    const told = await broker.comeIn(settings, "told", { protocolVersion: v5 });
    told.publish("t", "", { qos });
    await broker.settle();
    assert.equal(told.isEnded, false, "5.0 has a code for it");
  }
});
