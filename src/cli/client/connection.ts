/**
 * One connection to one broker over its whole life, on MQTT.js: opens, tells its handlers when it is
 * online, comes back with back-off, and ends for good with a `ProgramFailure` where trying again is
 * of no use. The first attempt is not repeated: a wrong host name should not look like patience.
 */
import type { Duplex } from "node:stream";
import {
  type IClientPublishOptions,
  type IConnackPacket,
  type IDisconnectPacket,
  type IPublishPacket,
  MqttClient,
  type Packet,
} from "mqtt";
import { ReasonCode } from "../../base/index.ts";
import { backOffMilliseconds } from "./back-off.ts";
import { closeGracefully } from "./close.ts";
import type { ConnectionOptions } from "./connection-options.ts";
import { describeCode, explainEnd, ProgramFailure, type Reason } from "./failure.ts";
import { type OwedAcknowledgement, OwedAcknowledgements } from "./owed-acknowledgements.ts";
import { describePacket } from "./packet-text.ts";
import type { Talk } from "./talk.ts";
import { describeEndpoint, openTransport } from "./transport.ts";
import { UnacknowledgedStore } from "./unacknowledged-store.ts";

export type { IConnackPacket as ConnackPacket, IPublishPacket as PublishPacket } from "mqtt";

type SubackPacket = Extract<Packet, { readonly cmd: "suback" }>;

export interface ConnectionHandlers {
  /** At each successful CONNACK, before any message of that connection: whether the broker goes on with the session. */
  connected?(resumed: boolean): void;
  /** After each successful CONNACK, once what was unacknowledged has been sent again. */
  online(connack: IConnackPacket): void;
  /** The socket takes more after `writable` was false. */
  drained?(): void;
  /** A message; it is acknowledged, and the next one read, once `done` is called. */
  message?(packet: IPublishPacket, done: () => void): void;
  /**
   * Instead of `message`, for who acknowledges by `Connection.acknowledge`, later and many at once: `done` only asks for
   * the next message. Nothing is owed for QoS 0.
   */
  owedMessage?(
    packet: IPublishPacket,
    owed: OwedAcknowledgement | undefined,
    done: () => void,
  ): void;
  /** PUBREL: what was owed for this message of QoS 2 has been given, and its identifier may be of another. */
  released?(packetIdentifier: number): void;
  /** The connection is over and does not come back. */
  failed(failure: ProgramFailure): void;
}

export interface SubscribeOutcome {
  /** One code for each filter, from 0x80 on a refusal. */
  readonly codes: readonly number[];
  readonly reasonString?: string;
}

/** Refusals that may be over in a while, also when the connection worked before. */
const passingCodes: ReadonlySet<number> = new Set<number>([
  3, // 3.1.1: server unavailable
  ReasonCode.serverUnavailable,
  ReasonCode.serverBusy,
  ReasonCode.serverShuttingDown,
  ReasonCode.keepAliveTimeout,
  ReasonCode.messageRateTooHigh,
  ReasonCode.quotaExceeded,
  ReasonCode.administrativeAction,
  ReasonCode.connectionRateExceeded,
  ReasonCode.maximumConnectTime,
  ReasonCode.unspecifiedError,
  ReasonCode.implementationSpecificError,
]);

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #handlers: ConnectionHandlers;
  readonly #talk: Talk;
  readonly #client: MqttClient;
  readonly #store = new UnacknowledgedStore();
  readonly #aliases = new Map<number, string>();
  readonly #owed = new OwedAcknowledgements();
  readonly #where: string;
  #online = false;
  #everOnline = false;
  #over = false;
  #attempt = 0;
  #cause: Error | undefined;
  #refusal: IConnackPacket | undefined;
  #farewell: IDisconnectPacket | undefined;

  constructor(options: ConnectionOptions, handlers: ConnectionHandlers, talk: Talk) {
    this.#options = options;
    this.#handlers = handlers;
    this.#talk = talk;
    this.#where = describeEndpoint(options.endpoint);
    const { protocolVersion, properties } = options;
    this.#client = new MqttClient(() => this.#openStream(), {
      manualConnect: true,
      protocolVersion,
      protocolId: protocolVersion === 3 ? "MQIsdp" : "MQTT",
      clientId: options.clientId,
      clean: options.clean,
      keepalive: options.keepAliveSeconds,
      username: options.username,
      password: options.password,
      properties: protocolVersion === 5 ? properties.connect : undefined,
      will: options.will && { ...options.will, properties: properties.will },
      reconnectPeriod: options.reconnect ? backOffMilliseconds(0, Math.random()) : 0,
      reconnectOnConnackError: true,
      resubscribe: false,
      outgoingStore: this.#store,
      timerVariant: "native",
      log: () => undefined,
    });
    this.#listen();
  }

  open(): void {
    this.#talk.debug(`connecting to ${this.#where} as ${this.#options.clientId}`);
    this.#client.connect();
  }

  get everOnline(): boolean {
    return this.#everOnline;
  }

  /** Whether a message sent now leaves at once, without a queue in this process. */
  get writable(): boolean {
    const { stream } = this.#client;
    return this.#online && !stream.destroyed && !stream.writableNeedDrain;
  }

  get online(): boolean {
    return this.#online;
  }

  /** Only while online. `settled` is called when the broker has acknowledged or refused QoS 1 or 2. */
  publish(
    message: { readonly topic: string; readonly payload: Buffer },
    options: IClientPublishOptions,
    settled?: (failure?: ProgramFailure) => void,
  ): void {
    if (settled === undefined) {
      this.#client.publish(message.topic, message.payload, options);
      return;
    }
    this.#client.publish(message.topic, message.payload, options, (error, packet) => {
      const code = (error as { code?: unknown } | undefined)?.code;
      if (!error) settled();
      // Without a code it is the connection that ended: the message goes again, or `failed` is told.
      else if (typeof code === "number") {
        const reason = describeCode(code, reasonStringOf(packet));
        settled(new ProgramFailure(`publishing to ${message.topic} was refused: ${reason}`));
      } else if (this.#online) settled(new ProgramFailure(error.message, { cause: error }));
    });
  }

  /** Only while online. `settled` is not called when the connection ends before the SUBACK. */
  subscribe(
    filters: readonly string[],
    options: { readonly qos: 0 | 1 | 2; readonly rap?: boolean; readonly rh?: 0 | 1 | 2 },
    settled: (outcome: SubscribeOutcome) => void,
  ): void {
    const properties = this.#options.properties.subscribe;
    this.#client.subscribe([...filters], { ...options, properties }, (error, _granted, packet) => {
      if (packet === undefined) {
        this.#talk.debug(`no SUBACK: ${error?.message}`);
        return;
      }
      settled({ codes: codesOf(packet), reasonString: reasonStringOf(packet) });
    });
  }

  unsubscribe(filters: readonly string[], settled: () => void): void {
    const properties = this.#options.properties.unsubscribe;
    this.#client.unsubscribe([...filters], { properties }, (error) => {
      if (!error) settled();
    });
  }

  /** Of `owedMessage`, in the order in which the messages came; those of an earlier connection are passed over. */
  acknowledge(owed: readonly OwedAcknowledgement[]): void {
    if (this.#online) this.#owed.send(this.#client.stream as Duplex, owed);
  }

  /** As the broker wants it, or this program where that says nothing; 0 for none. [MQTT-3.1.2-21] */
  get keepAliveSeconds(): number {
    return this.#client.keepalive;
  }

  /**
   * While the program asks for no next message, nothing that comes is read, nor the answers to keep alive: called more often
   * than that, this keeps the connection all the same.
   */
  stayAlive(): void {
    if (!this.#online) return;
    this.#client.sendPing();
    this.#client.reschedulePing(true);
  }

  /** Calls back once the broker has answered a PINGREQ that is sent now. */
  ping(answered: () => void): void {
    const listener = (packet: Packet) => {
      if (packet.cmd !== "pingresp") return;
      this.#client.off("packetreceive", listener);
      answered();
    };
    this.#client.on("packetreceive", listener);
    this.#client.sendPing();
  }

  /**
   * Sends DISCONNECT after all that was sent before, and waits, within bounds, for the end.
   * Returns whether everything left this process.
   */
  async close(): Promise<boolean> {
    if (this.#over) return true;
    this.#over = true;
    const wasOnline = this.#online;
    this.#online = false;
    return closeGracefully(this.#client, wasOnline, this.#options.properties.disconnect);
  }

  #openStream(): Duplex {
    this.#cause = undefined;
    this.#refusal = undefined;
    this.#farewell = undefined;
    const subprotocol = this.#options.protocolVersion === 3 ? "mqttv3.1" : "mqtt";
    const stream = openTransport(this.#options.endpoint, subprotocol);
    stream.on("error", (error) => {
      this.#cause ??= error;
    });
    stream.on("drain", () => this.#handlers.drained?.());
    return stream;
  }

  #listen(): void {
    const client = this.#client;
    client.on("packetreceive", (packet) => this.#look(packet));
    client.on("connect", (connack) => {
      this.#online = true;
      this.#everOnline = true;
      this.#attempt = 0;
      this.#setBackOff();
      if (!this.#over) this.#handlers.online(connack);
    });
    client.on("reconnect", () => {
      this.#attempt += 1;
      this.#setBackOff();
      this.#talk.debug(`connecting to ${this.#where} again`);
    });
    client.on("error", (error) => {
      this.#cause ??= this.#translate(error);
      // Whatever MQTT.js calls an error leaves a connection that is not to be trusted.
      client.stream.destroy();
    });
    client.on("disconnect", (packet) => {
      this.#farewell = packet;
      client.stream.destroy();
    });
    client.on("close", () => this.#closed());
    client.handleMessage = (packet, done) => {
      if (this.#over) return;
      const { message, owedMessage } = this.#handlers;
      if (owedMessage !== undefined) owedMessage(packet, this.#owed.giveBack(packet), done);
      else if (message !== undefined) message(packet, done);
      else done();
    };
    if (this.#talk.debugging) {
      client.on("packetsend", (packet) => this.#talk.debug(`sent ${describePacket(packet)}`));
    }
  }

  /** Sees each packet before MQTT.js handles it. */
  #look(packet: Packet): void {
    if (this.#talk.debugging) this.#talk.debug(`received ${describePacket(packet)}`);
    if (packet.cmd === "publish") {
      if (this.#handlers.owedMessage !== undefined) this.#owed.takeOver(packet);
      // MQTT.js forgets the topic behind an alias by the time of a PUBREL.
      const alias = packet.properties?.topicAlias;
      if (alias === undefined) return;
      if (packet.topic === "") packet.topic = this.#aliases.get(alias) ?? "";
      else this.#aliases.set(alias, packet.topic);
    } else if (packet.cmd === "connack") {
      this.#aliases.clear();
      this.#owed.connected();
      if ((packet.reasonCode ?? packet.returnCode) !== 0) this.#refusal = packet;
      this.#store.sessionResumed =
        !this.#options.clean && (packet.sessionPresent || this.#options.protocolVersion === 3);
      if (this.#refusal === undefined) this.#handlers.connected?.(this.#store.sessionResumed);
    } else if (packet.cmd === "pubrel" && packet.messageId !== undefined) {
      this.#handlers.released?.(packet.messageId);
    }
  }

  #setBackOff(): void {
    if (!this.#options.reconnect) return;
    this.#client.options.reconnectPeriod = backOffMilliseconds(this.#attempt, Math.random());
  }

  #closed(): void {
    this.#online = false;
    if (this.#over) return;
    const failure = this.#explainEnd();
    const passing = this.#refusal === undefined || passingCodes.has(codeOf(this.#refusal));
    const wanted = this.#farewell === undefined || passingCodes.has(codeOf(this.#farewell));
    if (this.#everOnline && this.#options.reconnect && passing && wanted) {
      this.#talk.say(`${failure.message}; trying again`);
      return;
    }
    this.#over = true;
    this.#client.end(true);
    this.#handlers.failed(failure);
  }

  /** MQTT.js's own errors, in words for people; those of the stream were seen before. */
  #translate(error: Error): Error {
    const { message } = error;
    const text =
      message === "connack timeout"
        ? "no answer to CONNECT"
        : message === "Keepalive timeout"
          ? "no answer to PINGREQ"
          : this.#everOnline
            ? message
            : `what answers there speaks no MQTT (${message})`;
    return new Error(text, { cause: error });
  }

  #explainEnd(): ProgramFailure {
    return explainEnd({
      where: this.#where,
      everOnline: this.#everOnline,
      refusal: this.#refusal && reasonOf(this.#refusal),
      farewell: this.#farewell && reasonOf(this.#farewell),
      cause: this.#cause,
    });
  }
}

function reasonOf(packet: IConnackPacket | IDisconnectPacket): Reason {
  return { code: codeOf(packet), reasonString: reasonStringOf(packet) };
}

function codeOf(packet: IConnackPacket | IDisconnectPacket): number {
  return packet.reasonCode ?? ("returnCode" in packet ? packet.returnCode : undefined) ?? 0;
}

function reasonStringOf(packet: Packet | undefined): string | undefined {
  if (packet === undefined || !("properties" in packet)) return undefined;
  const properties: object | undefined = packet.properties;
  if (properties === undefined || !("reasonString" in properties)) return undefined;
  return String(properties.reasonString);
}

function codesOf(packet: SubackPacket): readonly number[] {
  const granted: readonly unknown[] = packet.granted;
  return granted.filter((code) => typeof code === "number");
}
