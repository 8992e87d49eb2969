/**
 * One connection: from the transport's first byte to its last. Packets are handled in the order in which they came,
 * each to its end before the next; while a handler waits for an answer from outside, the rest waits too.
 * Nothing that a peer sends ends more than its own connection.
 */
import { assert, type Limits, malformed, ReasonCode } from "../base/index.ts";
import {
  encodeWithin,
  FrameReader,
  type FrameSink,
  type Packet,
  PacketType,
  ProtocolVersion,
  type PublishVariant,
} from "../codec/index.ts";
import type { AddressAccount } from "./address-limits.ts";
import { Answers } from "./answers.ts";
import type { Broker } from "./broker.ts";
import { type ConnectionEnding, endedByLoss } from "./connection-ending.ts";
import { failConnection, logBug } from "./connection-failure.ts";
import { ConnectionState } from "./connection-state.ts";
import { DropReason } from "./counters.ts";
import { cutReason } from "./cut-reason.ts";
import type { Deadline } from "./deadlines.ts";
import type { Authentication } from "./handlers/auth.ts";
import { dispatch, dispatchBeforeConnected } from "./handlers/dispatch.ts";
import { Intake, type IntakeOwner, needsIntake } from "./intake.ts";
import type { ListenerProfile } from "./listener-profile.ts";
import type { Message } from "./message.ts";
import { Outbox, type OutboxOwner } from "./outbox.ts";
import { Patience, type PatienceOwner } from "./patience.ts";
import type { ClientIdentity, Transport, TransportSink } from "./ports.ts";
import type { EncodedPublish } from "./publish-encoder.ts";
import { hasPaddedLength, Publisher } from "./publisher.ts";
import type { Session } from "./session.ts";
import type { OutboundAliases } from "./topic-aliases.ts";

const noBytes = Buffer.alloc(0) as Buffer;

export class Connection
  implements TransportSink, FrameSink, OutboxOwner, PatienceOwner, IntakeOwner
{
  readonly broker: Broker;
  readonly transport: Transport;
  /** What holds for connections of its listener. */
  readonly profile: ListenerProfile;
  readonly outbox: Outbox;
  /** What its remote address has open; undefined where that is not limited. */
  readonly address: AddressAccount | undefined;
  state: ConnectionState = ConnectionState.awaitingConnect;
  protocolVersion: ProtocolVersion = ProtocolVersion.v3_1_1;
  /** Who it is, once CONNECT has been accepted. */
  identity: ClientIdentity | undefined;
  session: Session | undefined;
  keepAliveSeconds = 0;
  /** The client's Maximum Packet Size; by default the largest packet there can be (5.0, section 2.1.4). */
  maximumPacketSize = 268_435_460;
  /** Whether CONNECT asked for a session expiry, granted or not: only then may DISCONNECT ask for another. */
  mayChangeExpiry = false;
  /** Whether the client wants reason strings outside CONNACK and DISCONNECT. */
  wantsProblemInformation = true;
  outboundAliases: OutboundAliases | undefined;
  authentication: Authentication | undefined;
  /** When what it proved itself with is no longer good. */
  expiry: Deadline | undefined;
  /** Whether it ever got a CONNACK that said yes. */
  wasAccepted = false;
  /** Whether its CONNECT was answered with no: the log has told it then. */
  wasRefused = false;
  packetsReceived = 0;
  bytesReceived = 0;
  isSuspended = false;
  isPaused = false;

  readonly #reader: FrameReader;
  readonly #frames: FrameSink;
  /** The packet being handled. */
  readonly #frame = { bytes: noBytes, start: 0, bodyStart: 0, end: 0 };
  #isReading = false;
  #publisher: Publisher | undefined;
  #answers: Answers | undefined;
  readonly #patience: Patience;
  #intake: Intake | undefined;
  /** Why it is being ended by us: a transport may report its own end meanwhile. */
  #ending: ConnectionEnding | undefined;
  /** The transport is gone, and packets that it brought still wait. */
  #lost: { readonly cause: Error | undefined } | undefined;

  constructor(broker: Broker, transport: Transport, profile: ListenerProfile) {
    this.broker = broker;
    this.transport = transport;
    this.profile = profile;
    this.address = broker.addresses.open(transport.remoteAddress);
    const mounted = profile.mount(this, transport);
    this.#frames = mounted ?? this;
    this.outbox = new Outbox(mounted ?? transport, broker.tickEnd, this);
    this.#reader = new FrameReader(profile.limits.packetBytesMax);
    this.#patience = new Patience(this, broker, profile.limits);
  }

  get limits(): Limits {
    return this.profile.limits;
  }

  get isV5(): boolean {
    return this.protocolVersion === ProtocolVersion.v5;
  }

  get isClosed(): boolean {
    return this.state === ConnectionState.closed;
  }

  /** How the log names it. */
  get name(): string {
    return this.identity?.clientIdentifier ?? this.transport.remoteAddress;
  }

  /** It is someone else now, or has other rights. */
  forgetRights(): void {
    this.#publisher?.forgetRights();
  }

  /** The half that publishes: most subscribers never need it. */
  get publisher(): Publisher {
    this.#publisher ??= new Publisher(this);
    return this.#publisher;
  }

  /** Not read for a while: it sends too much, memory is short, or the disk is behind. */
  get isHeldBack(): boolean {
    return this.#intake?.isHolding === true || this.#answers?.isChoked === true;
  }

  /** Why a message of QoS 0 may not be sent to it just now, if so. */
  get dropReason(): DropReason | undefined {
    const { broker, transport } = this;
    if (this.outbox.bytes >= broker.limits.outboxBytesMax) return DropReason.slowReader;
    const isWaste = broker.memory.isShort && transport.pendingBytes > 0;
    return isWaste ? DropReason.memoryFull : undefined;
  }

  get answers(): Answers {
    this.#answers ??= new Answers(this);
    return this.#answers;
  }

  /** Whether ranges of frames may be appended to the outbox without looking at each. */
  get takesRanges(): boolean {
    return this.outboundAliases === undefined;
  }

  receive(bytes: Buffer): void {
    if (this.isClosed) return;
    this.broker.counters.bytesReceived += bytes.length;
    if (this.isSuspended) this.#pause();
    const before = this.packetsReceived;
    this.bytesReceived += bytes.length;
    this.#run(() => this.#reader.read(bytes, this.#frames));
    if (this.isClosed || !needsIntake(this, this.#publisher !== undefined)) return;
    this.#intake ??= new Intake(this, this.broker);
    this.#intake.took(this.packetsReceived - before, bytes.length);
    if (this.#intake.isHolding) this.#pause();
  }

  drained(): void {
    // Of a client that we do not read it is the only sign of life; of others it is none [MQTT-3.1.2-22].
    if (this.isPaused) this.#patience.signOfLife();
    try {
      this.outbox.flush();
      this.outboxFlushed();
    } catch (error) {
      this.fail(error);
    }
  }

  closed(cause?: Error): void {
    this.broker.transportClosed(this.transport);
    this.#patience.transportClosed();
    try {
      this.#handleLoss(cause);
    } catch (error) {
      logBug(this, error);
    }
  }

  #handleLoss(cause: Error | undefined): void {
    if (this.isSuspended && this.wasAccepted) {
      // What came before the end is handled first: it may hold messages, and the DISCONNECT that takes back the will.
      this.outbox.close();
      this.#lost = { cause };
      return;
    }
    this.#publisher?.flush();
    this.#finish(endedByLoss(cause));
  }

  /** There is room again: for a client that we stopped reading, and for what waits in its session. */
  outboxFlushed(): void {
    if (this.isClosed) return;
    const { session } = this;
    if (session?.connection === this && this.transport.pendingBytes === 0 && session.hasBacklog)
      session.pump();
    this.resumeIfFree();
  }

  frame(bytes: Buffer, start: number, bodyStart: number, end: number): boolean {
    this.packetsReceived++;
    const publisher = this.#publisher;
    const header = bytes[start];
    if (publisher !== undefined) {
      const mayJoin = header === 0x30 || header === 0x32;
      if (mayJoin && publisher.extendRange(bytes, start, bodyStart, end)) return true;
      publisher.flush();
      if (this.isClosed) return false; // by a handler that the message reached
    }
    // [MQTT-1.5.5-1] the fewest bytes; 3.x does not ask for that
    if (this.isV5 && hasPaddedLength(bytes, start, bodyStart)) {
      throw malformed("a remaining length in more bytes than needed");
    }
    const frame = this.#frame;
    frame.bytes = bytes;
    frame.start = start;
    frame.bodyStart = bodyStart;
    frame.end = end;
    if (this.state === ConnectionState.connected) dispatch(this, frame);
    else dispatchBeforeConnected(this, frame);
    return !this.isSuspended && !this.isClosed;
  }

  /** Nothing more is read until `answer` is there; its failure ends the connection. */
  suspendFor(answer: Promise<void>): void {
    assert(!this.isSuspended, "one handler waits at a time");
    this.isSuspended = true;
    answer.then(
      () => this.#goOn(),
      (error: unknown) => this.fail(error),
    );
  }

  #goOn(): void {
    this.isSuspended = false;
    if (this.isClosed) return;
    this.#patience.startAnew();
    this.#run(() => this.#reader.resume(this.#frames));
    if (this.#lost !== undefined) this.#handleLoss(this.#lost.cause);
    this.resumeIfFree();
  }

  /** Reads packets; what is wrong with one ends here. */
  #run(read: () => void): void {
    const before = this.packetsReceived;
    const isOutermost = !this.#isReading; // a peer in this process may answer before a write has returned
    this.#isReading = true;
    try {
      read();
      this.#publisher?.flush();
    } catch (error) {
      this.fail(error);
    }
    if (isOutermost) this.#letGo();
    const count = this.packetsReceived - before;
    this.broker.counters.packetsReceived += count;
    if (this.isClosed) return;
    this.#patience.sawBytes(count > 0, this.#reader.incomplete);
    if (this.#isChoked() || this.isHeldBack) this.#pause();
  }

  /** What has been handled is not kept in memory until the next packet: that may never come. */
  #letGo(): void {
    this.#isReading = false;
    if (this.#frame.bytes === noBytes) return;
    this.#frame.bytes = noBytes;
    this.#publisher?.message.letGo();
  }

  /** A client that sends and does not read its answers is not read either. */
  #isChoked(): boolean {
    return this.outbox.bytes >= this.broker.limits.outboxBytesMax;
  }

  #pause(): void {
    if (this.isPaused || this.isClosed) return;
    this.isPaused = true;
    this.transport.pause();
    if (this.#answers?.isChoked)
      this.broker.limitHits.count("unsyncedBytesMax", { client: this.name });
  }

  /** It is read again, unless something else is in the way. */
  resumeIfFree(): void {
    if (!this.isPaused || this.isSuspended || this.isHeldBack || this.#isChoked()) return;
    this.isPaused = false;
    this.#patience.startAnew();
    this.transport.resume();
  }

  startKeepAlive(): void {
    this.#patience.startKeepAlive(this.keepAliveSeconds);
  }

  /** No window holds it up [MQTT-3.3.4-10] [MQTT-4.9.0-3]. Answers whether the client can take it [MQTT-3.1.2-24]. */
  send(packet: Packet, mustWait?: boolean): boolean {
    const bytes = encodeWithin(cutReason(packet), this.protocolVersion, this.maximumPacketSize);
    if (bytes === null) {
      this.broker.log.warn(
        { client: this.name, type: packet.type },
        "a packet is beyond the client's Maximum Packet Size and was not sent",
      );
      return false;
    }
    if (mustWait !== undefined) this.answers.add(bytes, mustWait);
    else {
      this.broker.counters.packetsSent++;
      this.outbox.append(bytes, 0, bytes.length);
    }
    return true;
  }

  /**
   * An answer that the client waits for, until what it confirms is safe: where it is too large for it [MQTT-3.1.2-24],
   * waiting ends another way.
   */
  answer(packet: Packet, mustWait: boolean): void {
    if (this.send(packet, mustWait)) return;
    this.disconnect(ReasonCode.packetTooLarge, "an answer is beyond its Maximum Packet Size");
  }

  /**
   * Sends one PUBLISH. `encoded` are its bytes for `variant`, where the caller has them. `packetIdentifier` is 0 for
   * QoS 0. A message beyond the client's Maximum Packet Size is dropped for it alone [MQTT-3.1.2-24], [MQTT-3.1.2-25].
   */
  sendPublish(
    message: Message,
    variant: PublishVariant,
    encoded: EncodedPublish | undefined,
    packetIdentifier: number,
  ): void {
    const { broker, outboundAliases, maximumPacketSize } = this;
    const publish =
      outboundAliases === undefined
        ? (encoded ?? broker.encoder.encode(message, variant))
        : outboundAliases.encode(message, variant, broker.encoder, maximumPacketSize);
    const length = publish.end - publish.start;
    if (length > maximumPacketSize) {
      this.session?.abandon(packetIdentifier);
      return;
    }
    if (packetIdentifier === 0) this.outbox.append(publish.bytes, publish.start, publish.end);
    else this.outbox.appendWithIdentifier(publish.bytes, publish, packetIdentifier);
    this.countPublishes(1, length);
  }

  countPublishes(count: number, bytes: number): void {
    const { counters } = this.broker;
    counters.publishSent += count;
    counters.packetsSent += count;
    counters.publishBytesSent += bytes;
  }

  /** A reason string, where the client wants one. */
  reasonString(text: string): { reasonString?: string } {
    return this.isV5 && this.wantsProblemInformation ? { reasonString: text } : {}; // [MQTT-3.1.2-29]
  }

  /** What is wrong ends this connection, and nothing else, 3.1.1: [MQTT-4.8.0-1] [MQTT-4.8.0-2]. */
  fail(error: unknown): void {
    failConnection(this, error);
  }

  /** The broker ends the connection; a 5.0 client that got its CONNACK is told why [MQTT-4.13.1-1] [MQTT-4.13.2-1]. */
  disconnect(reasonCode: ReasonCode, why: string): void {
    if (this.isClosed) return;
    this.#publisher?.flush();
    // [MQTT-3.14.0-1] not before CONNACK
    if (this.isV5 && this.state === ConnectionState.connected) {
      const properties = { reasonString: why }; // [MQTT-3.14.2-2] and no session expiry
      this.send({ type: PacketType.disconnect, reasonCode, properties });
    }
    this.end({ by: "broker", reasonCode, why }); // [MQTT-3.14.4-2]
  }

  /** Ends the connection after what is in the outbox. */
  end(ending: ConnectionEnding): void {
    if (this.isClosed || this.#ending !== undefined) return; // its peer may answer the last write at once
    this.#ending = ending;
    this.outbox.handOver();
    this.#finish(ending);
    this.transport.end();
  }

  #finish(ending: ConnectionEnding): void {
    if (this.isClosed) return;
    this.state = ConnectionState.closed;
    this.outbox.close(); // [MQTT-3.14.4-1] nothing is sent any more
    this.#answers?.clear();
    this.#patience.end();
    this.#intake?.end();
    this.broker.connectionEnded(this, this.#ending ?? ending);
  }
}
