/** Valid packets with drawn contents, for `sessions.ts`. What a version does not know stays away. */
import {
  type AuthPacket,
  type ConnectPacket,
  type DisconnectPacket,
  type Packet,
  PacketType,
  type Properties,
  ProtocolVersion,
  type PublishPacket,
  type QoS,
  type SubscribePacket,
  type UnsubscribePacket,
  type WillMessage,
} from "../../src/codec/index.ts";
import type { Chance } from "./chance.ts";

const clientIdentifiers = ["a", "b", "c", "d"] as const;
const userNames = ["fuzz", "later", "refused", "never", "broken", "rejected"] as const;
const plainTopics = ["a", "a/b", "a/b/c", "b", "echo/x"] as const;
const oddTopics = [
  "later/x",
  "refused/x",
  "sometimes/x",
  "broken/x",
  "rejected/x",
  "never/x",
  "echo/fault",
  "sabotage",
  "$own/x",
  "$SYS/broker/x",
  "bystander",
  "a//b/",
  "/",
] as const;
const filters = [
  "a",
  "a/b",
  "a/+",
  "a/#",
  "#",
  "+/b",
  "+",
  "b",
  "echo/#",
  "$share/g/a/#",
  "$share/g/#",
  "$share/h/a/b",
] as const;
const oddFilters = [
  "later/#",
  "refused/#",
  "sometimes/#",
  "broken/#",
  "never/x",
  "$SYS/#",
  "$own/+",
  "a/#/b",
  "$share/g",
  "$share//a",
] as const;
const authenticationData = ["done", "more", "later", "no", "broken", "other"] as const;
const qosOfMost = [0, 0, 1, 1, 2] as const;

export class PacketKit {
  readonly version: ProtocolVersion;
  readonly chance: Chance;
  #identifier = 0;

  constructor(version: ProtocolVersion, chance: Chance) {
    this.version = version;
    this.chance = chance;
  }

  get isV5(): boolean {
    return this.version === ProtocolVersion.v5;
  }

  several(least: number, most: number, write: () => Packet): Packet[] {
    return Array.from({ length: this.chance.between(least, most) }, write);
  }

  topic(): string {
    return this.chance.happens(0.85) ? this.chance.pick(plainTopics) : this.chance.pick(oddTopics);
  }

  connect(fields: Partial<ConnectPacket> = {}): ConnectPacket {
    const { chance } = this;
    const hasUser = chance.happens(0.3);
    const cleanStart = fields.cleanStart ?? chance.happens(0.5);
    const mayBeAssigned = cleanStart && this.version !== ProtocolVersion.v3_1;
    return {
      type: PacketType.connect,
      protocolVersion: this.version,
      keepAliveSeconds: chance.pick([0, 0, 60, 65_535]),
      clientIdentifier: mayBeAssigned && chance.happens(0.1) ? "" : chance.pick(clientIdentifiers),
      ...(hasUser ? { userName: this.#mostly(userNames), password: Buffer.from("p") } : {}),
      ...fields,
      cleanStart,
      properties: this.isV5 ? { ...this.#connectProperties(), ...fields.properties } : {},
    };
  }

  /** The first of `items` in half of all cases. */
  #mostly<Item>(items: readonly Item[]): Item {
    return this.chance.happens(0.5) ? items[0] : this.chance.pick(items);
  }

  #connectProperties(): Properties {
    const { chance } = this;
    return {
      ...(chance.happens(0.5) && {
        sessionExpiryInterval: chance.pick([0, 10, 1000, 0xffff_ffff]),
      }),
      ...(chance.happens(0.2) && { receiveMaximum: chance.pick([1, 2, 65_535]) }),
      ...(chance.happens(0.2) && { topicAliasMaximum: chance.pick([0, 1, 10, 65_535]) }),
      ...(chance.happens(0.1) && { requestResponseInformation: true }),
      ...(chance.happens(0.1) && { requestProblemInformation: false }),
      ...(chance.happens(0.1) && { userProperties: [["name", "value"]] }),
    };
  }

  authentication(): Properties {
    return {
      authenticationMethod: this.chance.happens(0.9) ? "FUZZ" : "OTHER",
      authenticationData: Buffer.from(this.#mostly(authenticationData)),
    };
  }

  will(): WillMessage {
    const { chance } = this;
    return {
      topic: this.topic(),
      payload: Buffer.from("will"),
      qos: chance.pick(qosOfMost),
      retain: chance.happens(0.3),
      properties: this.isV5
        ? {
            ...(chance.happens(0.5) && { willDelayInterval: chance.pick([0, 1, 100, 100_000]) }),
            ...(chance.happens(0.3) && { messageExpiryInterval: chance.pick([0, 1, 1000]) }),
          }
        : {},
    };
  }

  publish(fields: Partial<PublishPacket> = {}): PublishPacket {
    const { chance } = this;
    const qos: QoS = fields.qos ?? chance.pick(qosOfMost);
    return {
      type: PacketType.publish,
      topic: this.topic(),
      payload: Buffer.alloc(chance.pick([0, 1, 3, 20, 20, 200]), 0x6d),
      retain: chance.happens(0.15),
      dup: false,
      ...fields,
      qos,
      ...(qos > 0 ? { packetIdentifier: this.#nextIdentifier() } : {}),
      properties: this.isV5 ? (fields.properties ?? this.#publishProperties()) : {},
    };
  }

  publishAlias(topic: string, topicAlias: number): PublishPacket {
    return this.publish({ topic, properties: { ...this.#publishProperties(), topicAlias } });
  }

  #publishProperties(): Properties {
    const { chance } = this;
    if (chance.happens(0.6)) return {};
    return {
      ...(chance.happens(0.5) && { messageExpiryInterval: chance.pick([0, 1, 100, 0xffff_ffff]) }),
      ...(chance.happens(0.2) && { payloadFormatIndicator: 1 }),
      ...(chance.happens(0.2) && { contentType: "text/plain" }),
      ...(chance.happens(0.2) && { responseTopic: "a/b" }),
      ...(chance.happens(0.2) && { correlationData: Buffer.from("c") }),
      ...(chance.happens(0.3) && {
        userProperties: [
          ["n", "v"],
          ["n", "w"],
        ] as [string, string][],
      }),
    };
  }

  pubrel(packetIdentifier: number): Packet {
    return { type: PacketType.pubrel, packetIdentifier, reasonCode: 0, properties: {} };
  }

  subscribe(filter?: string): SubscribePacket {
    const { chance } = this;
    const count = filter === undefined ? chance.pick([1, 1, 1, 2, 5]) : 1;
    const subscriptions = Array.from({ length: count }, () => {
      const asked = filter ?? this.#filter();
      return {
        filter: asked,
        qos: chance.pick([0, 1, 2] as const),
        noLocal: this.isV5 && !asked.startsWith("$share") && chance.happens(0.2),
        retainAsPublished: this.isV5 && chance.happens(0.3),
        retainHandling: this.isV5 ? chance.pick([0, 0, 1, 2] as const) : 0,
      } as const;
    });
    const hasIdentifier = this.isV5 && chance.happens(0.3);
    return {
      type: PacketType.subscribe,
      packetIdentifier: this.#nextIdentifier(),
      subscriptions,
      properties: hasIdentifier
        ? { subscriptionIdentifiers: [chance.pick([1, 200, 268_435_455])] }
        : {},
    };
  }

  #filter(): string {
    return this.chance.happens(0.85) ? this.chance.pick(filters) : this.chance.pick(oddFilters);
  }

  unsubscribe(): UnsubscribePacket {
    return {
      type: PacketType.unsubscribe,
      packetIdentifier: this.#nextIdentifier(),
      filters: Array.from({ length: this.chance.pick([1, 1, 3]) }, () => this.#filter()),
      properties: {},
    };
  }

  pingreq(): Packet {
    return { type: PacketType.pingreq };
  }

  auth(reasonCode: AuthPacket["reasonCode"]): Packet {
    if (!this.isV5) return this.pingreq();
    return { type: PacketType.auth, reasonCode, properties: this.authentication() };
  }

  disconnect(): DisconnectPacket {
    const { chance } = this;
    const reasonCode = this.isV5 ? chance.pick([0, 0, 0x04] as const) : 0;
    const hasExpiry = this.isV5 && chance.happens(0.3);
    const properties = hasExpiry ? { sessionExpiryInterval: chance.pick([0, 0, 1, 100]) } : {};
    return { type: PacketType.disconnect, reasonCode, properties };
  }

  #nextIdentifier(): number {
    this.#identifier = (this.#identifier % 9) + 1;
    return this.#identifier;
  }
}
