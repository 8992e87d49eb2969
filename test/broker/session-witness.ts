/**
 * Sees every packet that the broker says and hears in one session, through all of its connections, and holds the
 * broker to the rules of QoS 1 and 2: identifiers, DUP, what is sent again and in which order, the Receive Maximum,
 * the order of acknowledgements. It knows of the session's state only what the packets tell.
 */
import assert from "node:assert/strict";
import { type Packet, PacketType, type PublishPacket } from "../../src/codec/index.ts";

/** A message of QoS 1 or 2 that the broker has sent and that is not at its end. */
interface Flight {
  readonly name: string;
  readonly qos: number;
  /** PUBREC has come. */
  isReceived: boolean;
}

/** An answer that the broker owes: the packet's type and its identifier. */
type Owed = Map<number, number[]>;

const answerTo = {
  [PacketType.pubrec]: PacketType.pubrel,
  [PacketType.pubrel]: PacketType.pubcomp,
} as const;

export class SessionWitness {
  /** By packet identifier, in the order in which they were first sent, those with PUBREC in that of PUBREC. */
  readonly inFlight = new Map<number, Flight>();
  /** How often the broker was given each message, by the name in its payload. */
  readonly heard = new Map<string, number>();
  /** How often it sent each anew, without DUP. */
  readonly sentAnew = new Map<string, number>();
  /** How often its client acknowledged each to the end. */
  readonly finished = new Map<string, number>();
  /** The session is to be there when its client comes back. */
  isKept = false;
  /** The broker has said CONNACK, and the connection that it said it on was not lost since. */
  isAttached = false;
  /** Whether the broker may have lost bytes that nobody saw: then a first sending may carry DUP. */
  mayHaveLostBytes = false;
  /** Whether what its last connection left unacknowledged at QoS 1 may have gone to somebody else. */
  readonly isShared: boolean;

  /** Identifiers of PUBLISH packets on this connection that are not acknowledged. */
  readonly #unacknowledged = new Set<number>();
  #toSendAgain: number[] = [];
  #toReleaseAgain: number[] = [];
  /** Flights that the broker may have taken back since the last connection. */
  readonly #uncertain = new Set<number>();
  #owed: Owed = new Map();

  constructor(isShared = false) {
    this.isShared = isShared;
  }

  /** The client begins anew: no state is left. */
  forget(): void {
    this.inFlight.clear();
    this.isKept = false;
  }

  /** Nothing is under way in the session, in either direction. */
  checkEmpty(): void {
    for (const [identifier, { isReceived }] of this.inFlight) {
      assert.ok(
        this.#uncertain.has(identifier),
        `${identifier} is never sent again (PUBREC: ${isReceived})`,
      );
    }
    for (const [type, identifiers] of this.#owed) {
      assert.deepEqual(identifiers, [], `answers of type ${type} that never came`);
    }
  }

  brokerHears(packet: Packet): void {
    switch (packet.type) {
      case PacketType.publish: {
        const { qos, packetIdentifier = 0 } = packet;
        count(this.heard, nameOf(packet));
        if (qos > 0) this.#owe(qos === 1 ? PacketType.puback : PacketType.pubrec, packetIdentifier);
        break;
      }
      case PacketType.pubrec: {
        const { packetIdentifier } = packet;
        this.#owe(answerTo[packet.type], packetIdentifier);
        const flight = this.inFlight.get(packetIdentifier);
        if (flight === undefined) break;
        flight.isReceived = true;
        this.inFlight.delete(packetIdentifier);
        this.inFlight.set(packetIdentifier, flight);
        break;
      }
      case PacketType.pubrel:
        this.#owe(answerTo[packet.type], packet.packetIdentifier);
        break;
      case PacketType.puback:
      case PacketType.pubcomp:
        count(this.finished, this.inFlight.get(packet.packetIdentifier)?.name ?? "unknown");
        this.inFlight.delete(packet.packetIdentifier);
        this.#unacknowledged.delete(packet.packetIdentifier);
        break;
    }
  }

  /** On a connection with this Receive Maximum. */
  brokerSaid(packet: Packet, receiveMaximum: number): void {
    switch (packet.type) {
      case PacketType.connack:
        assert.equal(packet.reasonCode, 0);
        assert.equal(packet.sessionPresent, this.isKept, "Session Present");
        this.isKept = true;
        this.isAttached = true;
        this.#beginConnection();
        break;
      case PacketType.publish:
        this.#checkPublish(packet);
        assert.ok(this.#unacknowledged.size <= receiveMaximum, "beyond the Receive Maximum");
        break;
      case PacketType.pubrel:
        this.#checkPubrel(packet.packetIdentifier);
        break;
      case PacketType.puback:
      case PacketType.pubrec:
      case PacketType.pubcomp:
        this.#checkAnswer(packet.type, packet.packetIdentifier);
        break;
    }
  }

  #beginConnection(): void {
    const flights = [...this.inFlight];
    const withQos2Received = ([, { isReceived }]: [number, Flight]): boolean => isReceived;
    this.#toReleaseAgain = flights.filter(withQos2Received).map(([identifier]) => identifier);
    this.#toSendAgain = flights
      .filter((flight) => !withQos2Received(flight))
      .map(([identifier]) => identifier);
    this.#uncertain.clear();
    for (const [identifier, { qos }] of this.inFlight) {
      if (this.isShared && qos === 1) this.#uncertain.add(identifier);
    }
    this.#unacknowledged.clear();
    this.#owed = new Map();
  }

  #checkPublish(packet: PublishPacket): void {
    const { qos, dup, packetIdentifier = 0 } = packet;
    const name = nameOf(packet);
    if (!dup) count(this.sentAnew, name);
    if (qos === 0) {
      assert.ok(!dup, "QoS 0 with DUP");
      return;
    }
    if (dup) this.#checkSentAgain(name, qos, packetIdentifier);
    else this.#checkSentAnew(name, qos, packetIdentifier);
    this.#uncertain.delete(packetIdentifier);
    this.#unacknowledged.add(packetIdentifier);
  }

  #checkSentAgain(name: string, qos: number, identifier: number): void {
    const flight = this.inFlight.get(identifier);
    if (flight === undefined) {
      assert.ok(this.mayHaveLostBytes, `${name} has DUP the first time`);
      this.inFlight.set(identifier, { name, qos, isReceived: false });
    } else {
      assert.deepEqual({ ...flight }, { name, qos, isReceived: false }, "sent again as another");
      // What has gone to another member is passed over.
      while (this.#uncertain.has(this.#toSendAgain[0]) && this.#toSendAgain[0] !== identifier) {
        this.#toSendAgain.shift();
      }
      assert.equal(this.#toSendAgain.shift(), identifier, "sent again, in the original order");
    }
  }

  #checkSentAnew(name: string, qos: number, identifier: number): void {
    const isFree = !this.inFlight.has(identifier) || this.#uncertain.has(identifier);
    assert.ok(isFree, `identifier ${identifier} is in use`);
    this.#toSendAgain = this.#toSendAgain.filter((again) => !this.#uncertain.has(again));
    assert.deepEqual(this.#toSendAgain, [], "what is to be sent again goes first");
    this.inFlight.delete(identifier);
    this.inFlight.set(identifier, { name, qos, isReceived: false });
  }

  #checkPubrel(identifier: number): void {
    if (this.#toReleaseAgain.length > 0) {
      assert.equal(this.#toReleaseAgain.shift(), identifier, "PUBREL again, in PUBREC's order");
      return;
    }
    this.#checkAnswer(PacketType.pubrel, identifier);
  }

  #checkAnswer(type: number, identifier: number): void {
    assert.equal(this.#owed.get(type)?.shift(), identifier, `an answer of type ${type}, in order`);
  }

  #owe(type: number, identifier: number): void {
    const identifiers = this.#owed.get(type);
    if (identifiers === undefined) this.#owed.set(type, [identifier]);
    else identifiers.push(identifier);
  }
}

/** Messages are told apart by the text before the first space of their payload. */
export function nameOf({ payload }: PublishPacket): string {
  return Buffer.from(payload).toString("latin1").split(" ", 1)[0];
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
