/**
 * A broker whose clients all have the same mount point looks to them like one without: the same bytes, right or wrong, are sent
 * to both, and must be answered alike. To its authorizer every topic lies below the mount point.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type ConnectPacket,
  encodePacket,
  type Packet,
  PacketType,
  ProtocolVersion,
  type PublishPacket,
  type QoS,
} from "../../src/codec/index.ts";
import type { MemoryClient } from "./memory-client.ts";
import { MountedBroker } from "./mounted-broker.ts";

const { v3_1_1, v5 } = ProtocolVersion;
const mountPoint = "site-1/";
const versions = [v5, v5, v3_1_1] as const;
const runs = 1000;

const topic = fc.constantFrom(
  "a",
  "a/b",
  "bb/é/c",
  "$SYS/x",
  "",
  "a/+",
  "forbidden",
  "c/".repeat(30),
);
const filter = fc.constantFrom(
  ...["#", "+", "a/#", "+/b", "bb/é/c", "", "a#", "$share/g/a/#", "$share/g/", "$share//a"],
  ...["$share/g", "$share/g/#", "$SYS/broker/none", "forbidden", "/"],
);
const qos = fc.constantFrom<QoS>(0, 1, 2);
const responseTopic = fc.option(fc.constantFrom("r", "r/t", "$SYS/x", "r/#"), { nil: undefined });
const topicAlias = fc.option(fc.constantFrom(1, 2, 3), { nil: undefined });
const dollar = 0x24;
const reasonless = { reasonString: undefined };

const publish = fc
  .record({ topic, qos, retain: fc.boolean(), responseTopic, topicAlias, length: fc.nat(60) })
  .map(({ length, responseTopic: response, topicAlias: alias, ...fields }): Packet => {
    const properties: PublishPacket["properties"] = {};
    if (response !== undefined) properties.responseTopic = response;
    if (alias !== undefined) properties.topicAlias = alias;
    const payload = Buffer.alloc(length, "p");
    const packetIdentifier = fields.qos === 0 ? undefined : 7;
    const packet: PublishPacket = {
      type: PacketType.publish,
      ...fields,
      dup: false,
      payload,
      properties,
    };
    if (packetIdentifier !== undefined) packet.packetIdentifier = packetIdentifier;
    return packet;
  });

const subscribe = fc
  .array(fc.record({ filter, qos, retainHandling: qos }), { minLength: 1, maxLength: 4 })
  .map((subscriptions): Packet => {
    const options = { noLocal: false, retainAsPublished: false };
    return {
      type: PacketType.subscribe,
      packetIdentifier: 3,
      subscriptions: subscriptions.map((each) => ({ ...options, ...each })),
      properties: {},
    };
  });

const unsubscribe = fc.array(filter, { minLength: 1, maxLength: 3 }).map(
  (filters): Packet => ({
    type: PacketType.unsubscribe,
    packetIdentifier: 4,
    filters,
    properties: {},
  }),
);

const acknowledge = fc
  .constantFrom(PacketType.puback, PacketType.pubrec, PacketType.pubrel, PacketType.pubcomp)
  .chain((type) =>
    fc.constantFrom(1, 2, 7).map((packetIdentifier): Packet => {
      return { type, packetIdentifier, reasonCode: 0, properties: {} };
    }),
  );

const connect = fc
  .record({
    will: fc.option(fc.record({ topic, qos, retain: fc.boolean() }), { nil: undefined }),
    maximumPacketSize: fc.option(fc.integer({ min: 20, max: 110 }), { nil: undefined }),
    topicAliasMaximum: fc.nat(3),
    cleanStart: fc.boolean(),
  })
  .map(({ will, cleanStart, ...properties }): Partial<ConnectPacket> => {
    const willed = { ...will, payload: Buffer.from("will"), properties: {} };
    const asked: ConnectPacket["properties"] = { sessionExpiryInterval: 100, receiveMaximum: 3 };
    if (properties.topicAliasMaximum > 0) asked.topicAliasMaximum = properties.topicAliasMaximum;
    if (properties.maximumPacketSize) asked.maximumPacketSize = properties.maximumPacketSize;
    const fields: Partial<ConnectPacket> = { cleanStart, properties: asked };
    return will === undefined ? fields : { ...fields, will: willed as ConnectPacket["will"] };
  });

/**
 * One byte becomes another, is taken away, or is put in. Names like `$x` are left out: that a wildcard does not match them
 * comes out late with a mount point, when a packet identifier has been taken.
 */
const damage = fc.record({
  kind: fc.constantFrom("none", "none", "none", "none", "replace", "remove", "insert"),
  at: fc.nat(200),
  byte: fc.nat(255).filter((byte) => byte !== dollar),
});

const step = fc.oneof(
  fc.record({
    who: fc.nat(2),
    packet: fc.oneof(publish, publish, subscribe, unsubscribe, acknowledge),
    damage,
    splitAt: fc.nat(40),
  }),
  fc.record({ who: fc.nat(2), connect, damage }),
  fc.record({ who: fc.nat(2), isLost: fc.constant(true) }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

const first = fc.tuple(connect, connect, connect);

function harm(
  bytes: Buffer,
  { kind, at, byte }: { kind: string; at: number; byte: number },
): Buffer {
  const place = at % bytes.length;
  const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
  if (bytes.includes(dollar)) return Buffer.from(bytes);
  if (kind === "replace") return Buffer.concat([before, Buffer.of(byte), after.subarray(1)]);
  if (kind === "remove") return Buffer.concat([before, after.subarray(1)]);
  return kind === "insert" ? Buffer.concat([before, Buffer.of(byte), after]) : Buffer.from(bytes);
}

/** One of the two brokers, with its clients. */
class Side {
  readonly broker = new MountedBroker();
  readonly #mountPoint: string;
  readonly #clients: (MemoryClient | undefined)[] = [];
  readonly #aliases = new Map<MemoryClient, Map<number, string>>();

  constructor(prefix: string) {
    this.#mountPoint = prefix;
  }

  async take(step: Step): Promise<void> {
    const { who } = step;
    const client = this.#clients[who];
    if ("isLost" in step) {
      client?.lose();
      this.#clients[who] = undefined;
    } else if ("connect" in step) {
      if (client?.isLost === false) client.lose();
      this.#connect(who, step);
    } else if (client?.isEnded === false) {
      const bytes = harm(encodePacket(step.packet, client.version), step.damage);
      client.sendBytes(Buffer.from(bytes.subarray(0, step.splitAt)));
      client.sendBytes(Buffer.from(bytes.subarray(step.splitAt)));
    }
    await this.broker.settle();
  }

  #connect(who: number, { connect: fields, damage: fault }: Extract<Step, { connect: unknown }>) {
    const version = versions[who];
    const client = this.broker.arrive(this.#mountPoint, version);
    const packet: ConnectPacket = {
      type: PacketType.connect,
      protocolVersion: version,
      cleanStart: true,
      keepAliveSeconds: 0,
      clientIdentifier: `c${who}`,
      properties: {},
      ...fields,
    };
    client.sendBytes(harm(encodePacket(packet, version), fault));
    this.#clients[who] = client;
  }

  /** What the clients have got since the last time, with topics for aliases, and which connections stand. */
  get seen(): unknown {
    return this.#clients.map((client) => {
      if (client === undefined) return "nobody";
      const packets = client.packets.splice(0).map((packet) => this.#plain(client, packet));
      return { packets, isEnded: client.isEnded };
    });
  }

  #plain(client: MemoryClient, packet: Packet): unknown {
    if (!("properties" in packet)) return packet;
    const { topicAlias: alias = 0, ...properties } = { ...packet.properties, ...reasonless };
    if (packet.type !== PacketType.publish) return { ...packet, properties };
    const aliases = this.#aliases.get(client) ?? new Map<number, string>();
    this.#aliases.set(client, aliases);
    if (packet.topic !== "") aliases.set(alias, packet.topic);
    const named = packet.topic || aliases.get(alias);
    assert.ok(named, `alias ${alias} was never set`);
    return { ...packet, topic: named, payload: Buffer.from(packet.payload), properties };
  }
}

test(`5.0 and 3.1.1: ${runs} random conversations are answered as without a mount point`, async () => {
  await fc.assert(
    fc.asyncProperty(first, fc.array(step, { maxLength: 30 }), async (all, steps) => {
      const connected = all.map((fields, who): Step => {
        const harmless = { kind: "none", at: 0, byte: 0 } as const;
        return { who, connect: fields, damage: harmless };
      });
      const [mounted, plain] = [new Side(mountPoint), new Side("")];
      for (const each of [...connected, ...steps]) {
        await mounted.take(each);
        await plain.take(each);
        assert.deepEqual(mounted.seen, plain.seen);
        for (const asked of mounted.broker.asked.splice(0)) {
          assert.ok(/^(site-1\/|\$SYS\/)/.test(asked), `${asked} came without the mount point`);
        }
      }
      assert.deepEqual(mounted.broker.errors, []);
    }),
    { numRuns: runs },
  );
});
