/**
 * Watches one connection from the client's side and reports what no client may see: bytes that are no packet of its
 * version, packets at the wrong time, answers to nothing, more or larger packets than it takes, an identifier in use
 * twice. It knows the broker only by what it sends.
 */
import { describeReasonCode } from "../../src/base/index.ts";
import {
  type ConnackPacket,
  decodePacketBody,
  FrameReader,
  type Packet,
  PacketType,
  ProtocolVersion,
  type PublishPacket,
} from "../../src/codec/index.ts";
import { Requests } from "./requests.ts";
import { describeError, type Violations } from "./violation.ts";

const typeNames = Object.fromEntries(
  Object.entries(PacketType).map(([name, type]) => [type, name]),
);

/** How far a message of the broker's has come. */
type Flight = "puback" | "pubrec" | "pubcomp";

interface Surroundings {
  readonly violations: Violations;
  readonly inFlightMessagesMax: number;
  /** The version in which the broker speaks on this connection. */
  readonly version: () => ProtocolVersion;
  readonly onPacket: (packet: Packet) => void;
}

export class Witness {
  readonly requests: Requests;
  /** Distinct answers since this was emptied, for the coverage. */
  readonly outcome = new Set<string>();
  isConnected = false;
  /** The broker has said its last word. */
  isOver = false;
  readonly #surroundings: Surroundings;
  readonly #reader = new FrameReader(Number.POSITIVE_INFINITY);
  readonly #flights = new Map<number, Flight>();
  /** Answers to what has not come yet. */
  readonly #early = new Set<string>();
  readonly #strayPubrecs: number[] = [];
  readonly #aliases = new Map<number, string>();
  /** The session is an earlier one: what was under way comes again. */
  #maySeeAgain = false;
  #isUnsure = false;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.requests = new Requests((packet) => this.#noteAnswer(packet));
  }

  /** Bytes from the broker. */
  read(bytes: Buffer): void {
    try {
      this.#reader.read(bytes, {
        frame: (chunk, start, bodyStart, end) => {
          const frame = chunk.subarray(start, end);
          this.#frame(frame, bodyStart - start);
          return true;
        },
      });
    } catch (error) {
      this.#report("the broker sent bytes that are no packet", bytes, describeError(error));
    }
  }

  /** The transport was closed by the broker: nothing may be left half said. */
  ended(): void {
    if (this.#reader.incomplete) this.#report("the connection ends in the middle of a packet");
  }

  #report(kind: string, bytes?: Uint8Array, detail = ""): void {
    const shown = bytes === undefined ? "" : Buffer.from(bytes.subarray(0, 200)).toString("hex");
    this.#surroundings.violations.report(kind, `${shown} ${detail}`.trim());
  }

  #frame(frame: Buffer, bodyStart: number): void {
    if (this.isOver) this.#report("a packet after the last one", frame);
    const version = this.#surroundings.version();
    const packet = decodePacketBody(frame[0], frame, bodyStart, frame.length, version);
    const maximum = this.requests.connect?.properties.maximumPacketSize;
    if (maximum !== undefined && frame.length > maximum) {
      this.#report("a packet beyond the client's Maximum Packet Size", frame);
    }
    this.outcome.add(describeOutcome(packet, version));
    this.#check(packet, frame);
    this.#surroundings.onPacket(packet);
  }

  #check(packet: Packet, frame: Buffer): void {
    if (packet.type === PacketType.connack) this.#checkConnack(packet, frame);
    else if (packet.type === PacketType.auth) this.#checkAuth(frame);
    else if (!this.isConnected) this.#report("a packet before CONNACK", frame);
    switch (packet.type) {
      case PacketType.publish:
        this.#checkPublish(packet, frame);
        break;
      case PacketType.puback:
      case PacketType.pubrec:
      case PacketType.pubcomp:
        this.#checkAnswer(packet.type, packet.packetIdentifier, frame);
        break;
      case PacketType.suback:
      case PacketType.unsuback: {
        const request = this.#checkAnswer(packet.type, packet.packetIdentifier, frame);
        const hasCodes = packet.type === PacketType.suback || this.#isV5;
        if (request !== undefined && packet.reasonCodes.length !== (hasCodes ? request.count : 0)) {
          this.#report(`${typeNames[packet.type]} with another number of reason codes`, frame);
        }
        break;
      }
      case PacketType.pingresp:
        this.#checkAnswer(packet.type, 0, frame);
        break;
      case PacketType.pubrel:
        this.#notePubrel(packet.packetIdentifier);
        break;
      case PacketType.disconnect:
        this.isOver = true;
        if (!this.#isV5) this.#report("DISCONNECT to a client of 3.x", frame);
        break;
      case PacketType.connack:
      case PacketType.auth:
        break;
      default:
        this.#report(`${typeNames[packet.type]}, which is a client's packet`, frame);
    }
  }

  get #isV5(): boolean {
    return this.#surroundings.version() === ProtocolVersion.v5;
  }

  #checkConnack(packet: ConnackPacket, frame: Buffer): void {
    if (this.isConnected) this.#report("a second CONNACK", frame);
    if (packet.reasonCode !== 0) {
      this.isOver = true;
      if (packet.sessionPresent) this.#report("a refusal that says a session is present", frame);
      return;
    }
    this.isConnected = true;
    const { connect } = this.requests;
    // 3.1 cannot tell
    const isUntold = connect?.protocolVersion === ProtocolVersion.v3_1 && !connect.cleanStart;
    this.#maySeeAgain = packet.sessionPresent || isUntold;
    if (connect?.protocolVersion !== this.#surroundings.version()) {
      this.#report("a CONNECT was accepted that the codec reads otherwise", frame);
    } else if (connect.cleanStart && packet.sessionPresent) {
      this.#report("a clean start that found a session", frame);
    }
  }

  #checkAuth(frame: Buffer): void {
    if (this.requests.connect?.properties.authenticationMethod === undefined) {
      this.#report("AUTH to a client that named no method", frame);
    }
  }

  #checkAnswer(type: PacketType, packetIdentifier: number, frame: Buffer) {
    const request = this.requests.take(type, packetIdentifier);
    if (request === undefined) {
      this.#report(`${typeNames[type]} that answers nothing, or out of order`, frame);
    }
    return request;
  }

  #checkPublish(packet: PublishPacket, frame: Buffer): void {
    this.#checkAlias(packet, frame);
    if (packet.dup && !this.#maySeeAgain) this.#report("DUP in a new session", frame);
    if (packet.qos === 0 || packet.packetIdentifier === undefined) return;
    if (this.#flights.has(packet.packetIdentifier)) {
      this.#report("a packet identifier in use twice", frame);
    }
    this.#fly(packet.packetIdentifier, packet.qos === 1 ? "puback" : "pubrec");
    const { receiveMaximum = 65_535 } = this.requests.connect?.properties ?? {};
    const most = Math.min(receiveMaximum, this.#surroundings.inFlightMessagesMax);
    let underWay = 0;
    for (const flight of this.#flights.values()) if (flight !== "pubcomp") underWay++;
    // What the client answered ahead of time may have made room.
    const isSure = !this.#isUnsure && this.#early.size === 0 && this.#strayPubrecs.length === 0;
    if (underWay > most && isSure)
      this.#report("more messages under way than the client takes", frame);
  }

  #checkAlias({ topic, properties }: PublishPacket, frame: Buffer): void {
    const alias = properties.topicAlias ?? 0;
    if (alias > (this.requests.connect?.properties.topicAliasMaximum ?? 0)) {
      this.#report("a topic alias beyond the client's maximum", frame);
    }
    if (topic !== "" && alias > 0) this.#aliases.set(alias, topic);
    if (topic === "" && !this.#aliases.has(alias)) this.#report("a topic alias never set", frame);
  }

  /** To a PUBREC that names nothing, PUBREL is the answer, and the identifier stays free. */
  #notePubrel(packetIdentifier: number): void {
    const stray = this.#strayPubrecs.indexOf(packetIdentifier);
    if (stray >= 0) this.#strayPubrecs.splice(stray, 1);
    // It may have been for a message that the broker had yet to send, and now never does: nobody outside can know.
    if (stray >= 0) this.#isUnsure = true;
    if (stray < 0 || this.#flights.has(packetIdentifier)) this.#fly(packetIdentifier, "pubcomp");
  }

  /** What the client says to the broker's messages, as the broker will read it. */
  #noteAnswer(packet: Packet): void {
    if (packet.type === PacketType.puback) this.#land(packet.packetIdentifier, "puback");
    if (packet.type === PacketType.pubcomp) this.#land(packet.packetIdentifier, "pubcomp");
    if (packet.type !== PacketType.pubrec) return;
    if (packet.reasonCode < 0x80) {
      const isStray = this.#flights.get(packet.packetIdentifier) !== "pubrec";
      if (isStray) this.#strayPubrecs.push(packet.packetIdentifier);
      return;
    }
    this.#land(packet.packetIdentifier, "pubrec");
    this.#land(packet.packetIdentifier, "pubcomp");
  }

  /** A client may also answer what it has not seen yet, and the broker read that later. */
  #land(packetIdentifier: number, from: Flight): void {
    if (this.#flights.get(packetIdentifier) === from) this.#flights.delete(packetIdentifier);
    else this.#early.add(`${packetIdentifier} ${from}`);
  }

  #fly(packetIdentifier: number, flight: Flight): void {
    const isAnswered = this.#early.delete(`${packetIdentifier} ${flight}`);
    // Or the broker read the answer before it sent this, and heeded it not: nobody outside can know.
    if (isAnswered) this.#isUnsure = true;
    if (isAnswered) this.#flights.delete(packetIdentifier);
    else this.#flights.set(packetIdentifier, flight);
  }

  /** The broker has read everything that was sent, and it counts so many messages under way. */
  settled(inFlightMessages: number): void {
    this.#early.clear();
    this.#strayPubrecs.length = 0;
    // Of a session of before, some may wait for room to be sent again.
    if (!this.isConnected || this.#maySeeAgain || this.#isUnsure) return;
    if (inFlightMessages === this.#flights.size) return;
    const detail = `${inFlightMessages}, and the client knows of ${this.#flights.size}`;
    this.#report("the broker counts other messages under way", undefined, detail);
  }
}

/** `suback 0x87`: the type and what it says. */
function describeOutcome(packet: Packet, version: ProtocolVersion): string {
  const name = typeNames[packet.type];
  if (packet.type === PacketType.connack && version !== ProtocolVersion.v5) {
    return `${name} of 3.x, return code ${packet.reasonCode}`;
  }
  if (packet.type === PacketType.publish) return `${name} QoS ${packet.qos}`;
  if (packet.type === PacketType.suback || packet.type === PacketType.unsuback) {
    return `${name} ${[...new Set(packet.reasonCodes)].sort().map(describeReasonCode).join(", ")}`;
  }
  return "reasonCode" in packet ? `${name} ${describeReasonCode(packet.reasonCode)}` : name;
}
