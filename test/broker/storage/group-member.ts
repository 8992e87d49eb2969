/**
 * A subscriber that answers what it owes when the test says so, and keeps on its side what a client keeps of its
 * session. What arrives is noted once; of QoS 2 nothing may come twice.
 */
import assert from "node:assert/strict";
import { PacketType, ProtocolVersion, type PublishPacket } from "../../../src/codec/index.ts";
import type { MemoryClient } from "../memory-client.ts";
import { kept, type StoredBroker, say } from "./stored-broker.ts";

export interface MemberOptions {
  readonly name: string;
  readonly filter: string;
  readonly qos: 1 | 2;
  /** Whether its session outlives its connection. */
  readonly isKept: boolean;
  readonly version: ProtocolVersion;
  /** Only 5.0 can say it. */
  readonly receiveMaximum: number;
}

type Answer = readonly ["puback" | "pubrec" | "pubcomp", number];

export class GroupMember {
  readonly options: MemberOptions;
  client: MemoryClient | undefined;
  /** The numbers of messages of QoS 1 and 2, as they first came. */
  readonly arrived: number[] = [];
  readonly #broker: StoredBroker;
  readonly #seen = new Set<number>();
  #owed: Answer[] = [];
  /** Numbers of QoS 2 messages that are not released, by packet identifier. */
  #unreleased = new Map<number, number>();
  #isSubscribed = false;
  #read = 0;

  constructor(broker: StoredBroker, options: MemberOptions) {
    this.#broker = broker;
    this.options = options;
  }

  /** On a new connection, whether there is an old one or not. */
  connect(): void {
    const { name, isKept, version, receiveMaximum } = this.options;
    this.leave();
    const client = this.#broker.open(version);
    const fields = isKept ? kept(version) : { cleanStart: true, properties: {} };
    const isV5 = version === ProtocolVersion.v5;
    const properties = isV5 ? { ...fields.properties, receiveMaximum } : {};
    this.client = client;
    this.#read = 0;
    if (!isKept) {
      this.#unreleased = new Map();
      this.#seen.clear(); // a retained message comes again
      this.#isSubscribed = false;
    }
    client.connect(name, { ...fields, properties });
  }

  /** It knows its connection no more. */
  leave(): void {
    this.client = undefined;
    this.#owed = [];
  }

  /** Takes what has come. */
  listen(): void {
    const { client } = this;
    if (client === undefined) return;
    for (; this.#read < client.packets.length; this.#read++) {
      const packet = client.packets[this.#read];
      if (packet.type === PacketType.connack) this.#welcomed(client, packet.sessionPresent);
      else if (packet.type === PacketType.publish) this.#take(packet);
      else if (packet.type === PacketType.pubrel) {
        this.#unreleased.delete(packet.packetIdentifier);
        this.#owed.push(["pubcomp", packet.packetIdentifier]);
      }
    }
  }

  #welcomed(client: MemoryClient, isPresent: boolean): void {
    const { name, filter, qos, isKept } = this.options;
    if (isKept) assert.equal(isPresent, this.#isSubscribed, `${name}: session present`);
    if (this.#isSubscribed) return;
    client.subscribe(filter, qos);
    this.#isSubscribed = true;
  }

  #take({ qos, payload, packetIdentifier = 0, dup }: PublishPacket): void {
    if (qos === 0) return;
    const { name } = this.options;
    const number = Number(Buffer.from(payload).toString());
    const before = this.#unreleased.get(packetIdentifier);
    if (qos === 2 && before !== undefined)
      assert.deepEqual(
        { number, dup },
        { number: before, dup: true },
        `${name}: an identifier in use`,
      );
    else if (qos === 2)
      assert.ok(!this.#seen.has(number), `${name}: ${number} of QoS 2 came twice`);
    if (qos === 2) this.#unreleased.set(packetIdentifier, number);
    if (!this.#seen.has(number)) this.arrived.push(number);
    this.#seen.add(number);
    this.#owed.push([qos === 1 ? "puback" : "pubrec", packetIdentifier]);
  }

  /** Sends the first `count` of the answers that it owes; false when it owed none. */
  answer(count: number): boolean {
    const { client } = this;
    if (client === undefined || this.#owed.length === 0) return false;
    for (const [type, packetIdentifier] of this.#owed.splice(0, count))
      say(client, type, packetIdentifier);
    return true;
  }
}
