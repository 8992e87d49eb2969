/**
 * A client that nobody mutates: it publishes and subscribes as the standard says while the others rage, and must get
 * every message of every bystander, once and in order, and never be disconnected.
 */
import type { Broker } from "../../src/broker/index.ts";
import {
  encodePacket,
  type Packet,
  PacketType,
  type ProtocolVersion,
} from "../../src/codec/index.ts";
import { bystanderAddress, bystanderName, bystanderTopic } from "./gatekeeper.ts";
import { Peer } from "./peer.ts";
import type { Violations } from "./violation.ts";

/** Few, so that each is used again and again: one that was not let go is missed soon. */
const identifiersMax = 5;
const traits = { answersInWrite: false, breaksAtByte: 0, lingers: false };

export class Bystander {
  readonly peer: Peer;
  readonly #version: ProtocolVersion;
  readonly #violations: Violations;
  /** Numbers that are on their way to it. */
  readonly #expected: string[] = [];
  #identifier = 0;

  constructor(broker: Broker, violations: Violations, version: ProtocolVersion) {
    this.#version = version;
    this.#violations = violations;
    this.peer = new Peer(broker, violations, { remoteAddress: bystanderAddress, traits });
    this.peer.onPacket = (packet) => this.#receive(packet);
  }

  connect(): void {
    this.#send({
      type: PacketType.connect,
      protocolVersion: this.#version,
      cleanStart: true,
      keepAliveSeconds: 0,
      clientIdentifier: `${bystanderName}${this.#version}`,
      properties: {},
    });
  }

  subscribe(): void {
    this.#send({
      type: PacketType.subscribe,
      packetIdentifier: this.#nextIdentifier(),
      subscriptions: [
        {
          filter: bystanderTopic,
          qos: 2,
          noLocal: false,
          retainAsPublished: false,
          retainHandling: 0,
        },
      ],
      properties: {},
    });
  }

  publish(number: number, qos: 0 | 1 | 2): void {
    this.#send({
      type: PacketType.publish,
      topic: bystanderTopic,
      payload: Buffer.from(String(number)),
      qos,
      retain: false,
      dup: false,
      ...(qos > 0 ? { packetIdentifier: this.#nextIdentifier() } : {}),
      properties: {},
    });
  }

  disconnect(): void {
    this.#send({ type: PacketType.disconnect, reasonCode: 0, properties: {} });
  }

  expect(number: number): void {
    this.#expected.push(String(number));
  }

  /** Everything that was to come has come, and the connection stands. */
  check(): void {
    if (this.peer.isEnded) this.#violations.report("a bystander was disconnected");
    if (this.#expected.length === 0) return;
    this.#violations.report("a bystander lacks a message", this.#expected.join(" "));
  }

  #receive(packet: Packet): void {
    if (packet.type !== PacketType.publish) return;
    const expected = this.#expected.shift();
    const came = Buffer.from(packet.payload).toString();
    if (packet.topic === bystanderTopic && came === expected) return;
    const detail = `${packet.topic} ${came} for ${expected}`;
    this.#violations.report("a bystander got what it should not", detail);
  }

  #send(packet: Packet): void {
    this.peer.send(Buffer.from(encodePacket(packet, this.#version)));
  }

  #nextIdentifier(): number {
    this.#identifier = (this.#identifier % identifiersMax) + 1;
    return this.#identifier;
  }
}
