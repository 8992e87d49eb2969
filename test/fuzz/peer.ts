/**
 * One transport in memory with a client behind it: it takes what the broker writes at once, later or never, breaks where
 * it was told to, and keeps to what `ports.ts` asks of a transport, also where that is inconvenient.
 */
import type { Connection } from "../../src/broker/connection.ts";
import type { Broker, Transport } from "../../src/broker/index.ts";
import {
  encodePacket,
  type Packet,
  PacketType,
  type ProtocolVersion,
} from "../../src/codec/index.ts";
import type { Traits } from "./action.ts";
import type { Violations } from "./violation.ts";
import { Witness } from "./witness.ts";

/** A peer that never answers would gather what it owes for ever. */
const owedMax = 200;
const closedFault = new Error("the connection was cut");

export class Peer implements Transport {
  readonly listener = "fuzz";
  readonly remoteAddress: string;
  readonly traits: Traits;
  readonly connection: Connection;
  readonly witness: Witness;
  /** Answers that a client which keeps to the standard would send now. */
  readonly owed: Packet[] = [];
  onPacket: ((packet: Packet) => void) | undefined;
  pendingBytes = 0;
  isBusy = false;
  isPaused = false;
  /** The broker wants no more of it. */
  isEnded = false;
  isClosed = false;
  readonly #violations: Violations;
  #unread: Uint8Array[] = [];
  #unsent: Buffer[] = [];
  #bytesTaken = 0;

  constructor(
    broker: Broker,
    violations: Violations,
    { remoteAddress, traits }: { remoteAddress: string; traits: Traits },
  ) {
    this.remoteAddress = remoteAddress;
    this.traits = traits;
    this.#violations = violations;
    this.witness = new Witness({
      violations,
      inFlightMessagesMax: broker.limits.inFlightMessagesMax,
      version: () => this.version,
      onPacket: (packet) => this.#receive(packet),
    });
    this.connection = broker.accept(this) as Connection;
  }

  get version(): ProtocolVersion {
    return this.connection.protocolVersion;
  }

  write(bytes: Uint8Array): void {
    if (this.isEnded || this.isClosed) this.#violations.report("a write after the end");
    if (bytes.length === 0) this.#violations.report("a write of nothing");
    const { breaksAtByte } = this.traits;
    this.#unread.push(bytes);
    this.pendingBytes += bytes.length;
    if (!this.isBusy) this.#take();
    if (breaksAtByte > 0 && this.#bytesTaken >= breaksAtByte) this.close(true);
    else if (this.traits.answersInWrite) this.answer();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    if (this.isEnded) this.#violations.report("a transport was ended twice");
    this.isEnded = true;
    this.#take();
    if (this.traits.breaksAtByte === 0) this.witness.ended();
  }

  destroy(): void {
    this.isEnded = true;
    this.#unread = [];
    this.pendingBytes = 0;
  }

  /** The client reads everything that waits. */
  drain(): void {
    if (this.isClosed) return;
    this.isBusy = false;
    if (this.pendingBytes === 0) return;
    this.#take();
    if (!this.isEnded) this.#violations.guard("drained", () => this.connection.drained());
  }

  /** The transport is gone; once, as the port says. */
  close(isFault: boolean): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#unread = [];
    this.pendingBytes = 0;
    const cause = isFault ? closedFault : undefined;
    this.#violations.guard("closed", () => this.connection.closed(cause));
  }

  /** Bytes to the broker, now or as soon as it reads again. */
  send(bytes: Buffer): void {
    this.#unsent.push(bytes);
    this.flow();
  }

  flow(): void {
    while (!this.isPaused && this.#unsent.length > 0) {
      if (this.isEnded || this.isClosed) return;
      const bytes = this.#unsent.shift();
      if (bytes !== undefined) this.#hand(bytes);
    }
  }

  get hasUnsent(): boolean {
    return this.#unsent.length > 0;
  }

  /** All that is owed, as the standard asks for it. */
  answer(): void {
    const answers = this.owed.splice(0);
    if (answers.length === 0 || this.isClosed || this.isEnded) return;
    this.send(Buffer.concat(answers.map((packet) => encodePacket(packet, this.version))));
  }

  #hand(bytes: Buffer): void {
    const chunk = Buffer.from(bytes);
    this.witness.requests.read(chunk);
    this.#violations.guard("receive", () => this.connection.receive(chunk));
    if (chunk.length <= 65_536) chunk.fill(0xee); // it was only lent
  }

  #take(): void {
    const unread = this.#unread;
    this.#unread = [];
    this.pendingBytes = 0;
    for (const bytes of unread) {
      const left = this.traits.breaksAtByte - this.#bytesTaken;
      const taken = this.traits.breaksAtByte > 0 ? bytes.subarray(0, Math.max(0, left)) : bytes;
      this.#bytesTaken += taken.length;
      this.witness.read(Buffer.from(taken));
    }
  }

  #receive(packet: Packet): void {
    const answer = answerTo(packet);
    if (answer !== undefined && this.owed.length < owedMax) this.owed.push(answer);
    this.onPacket?.(packet);
  }
}

function answerTo(packet: Packet): Packet | undefined {
  if (!("packetIdentifier" in packet || packet.type === PacketType.auth)) return undefined;
  const rest = { reasonCode: 0, properties: {} } as const;
  switch (packet.type) {
    case PacketType.publish: {
      const { packetIdentifier = 0, qos } = packet;
      if (qos === 0) return undefined;
      return { type: qos === 1 ? PacketType.puback : PacketType.pubrec, packetIdentifier, ...rest };
    }
    case PacketType.pubrec:
      if (packet.reasonCode >= 0x80) return undefined;
      return { type: PacketType.pubrel, packetIdentifier: packet.packetIdentifier, ...rest };
    case PacketType.pubrel:
      return { type: PacketType.pubcomp, packetIdentifier: packet.packetIdentifier, ...rest };
    case PacketType.auth: {
      if (packet.reasonCode === 0) return undefined;
      const { authenticationMethod } = packet.properties;
      const authenticationData = Buffer.from("done");
      return {
        type: PacketType.auth,
        reasonCode: 0x18,
        properties: { authenticationMethod, authenticationData },
      };
    }
    default:
      return undefined;
  }
}
