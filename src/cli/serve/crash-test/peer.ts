/**
 * A client of the broker under test, on MQTT.js: a witness that shares no code with the broker. Its connection comes and goes
 * as the broker does; what it knows - what is unacknowledged, which QoS 2 identifiers are taken - lives on in this process.
 */
import { connect } from "node:net";
import { type IClientPublishOptions, type IPublishPacket, MqttClient, type Packet } from "mqtt";
import { ReasonCode } from "../../../base/index.ts";
import { describeCode, UnacknowledgedStore } from "../../client/index.ts";
import type { BrokerChild } from "./broker-child.ts";

export interface PeerOptions {
  readonly name: string;
  readonly protocolVersion: 4 | 5;
  /** A session that ends with its connection. */
  readonly isClean?: boolean;
  /** Of a 5.0 client. */
  readonly receiveMaximum?: number;
  /** Takes note of what is neither expected nor a fault of its own: a refused connection, a protocol error. */
  readonly note: (text: string) => void;
}

export interface PeerHandlers {
  /** CONNACK has come, before anything else of its connection. */
  welcomed?(sessionPresent: boolean): void;
  /** After CONNACK, and after what was unacknowledged has been settled. */
  online?(sessionPresent: boolean): void;
  offline?(): void;
  /** A message, as often as it comes; of QoS 2 only if its packet identifier was free. */
  message?(packet: IPublishPacket): void;
  /** Acknowledges, when `done` is called; by default at once. */
  acknowledge?(done: () => void): void;
}

export interface Settled {
  /** Why the broker refused it. */
  readonly refusal?: string;
}

const sessionExpirySeconds = 86_400;
const connectMillisecondsMax = 20_000;
const retryMilliseconds = 25;

/** How a connection ends when its broker is killed. */
const expectedErrors = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE"]);

export class Peer {
  readonly name: string;
  readonly #options: PeerOptions;
  readonly #broker: Pick<BrokerChild, "port">;
  readonly #handlers: PeerHandlers;
  readonly #client: MqttClient;
  readonly #store = new UnacknowledgedStore();
  /** QoS 2 identifiers of which no PUBREL came yet: method A of the standard's section 4.3.3. */
  readonly #taken = new Set<number>();
  #isWanted = false;
  #isOnline = false;
  #isOpen = false;
  #wasOpened = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: PeerOptions, broker: Pick<BrokerChild, "port">, handlers: PeerHandlers) {
    this.name = options.name;
    this.#options = options;
    this.#broker = broker;
    this.#handlers = handlers;
    const { protocolVersion, receiveMaximum, isClean = false } = options;
    const properties = { sessionExpiryInterval: sessionExpirySeconds, receiveMaximum };
    this.#client = new MqttClient(() => connect({ port: broker.port ?? 0, host: "127.0.0.1" }), {
      manualConnect: true,
      protocolVersion,
      clientId: options.name,
      clean: isClean,
      properties: protocolVersion === 5 && !isClean ? properties : undefined,
      reconnectPeriod: 0, // this class knows when the broker is back, and where
      connectTimeout: connectMillisecondsMax,
      resubscribe: false,
      outgoingStore: this.#store,
      timerVariant: "native",
      log: () => undefined,
    });
    this.#listen();
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  /** From now on it is connected whenever the broker is up. */
  come(): void {
    this.#isWanted = true;
    if (!this.#isOpen) this.#open();
  }

  /** Says goodbye, and stays away. */
  leave(): void {
    this.#isWanted = false;
    if (this.#isOpen) this.#client.stream.end(Buffer.from([0xe0, 0x00])); // DISCONNECT
  }

  /** As when the network goes; comes back if it is wanted. */
  cut(): void {
    if (this.#isOpen) this.#client.stream.destroy();
  }

  /** For good. */
  close(): void {
    this.#isWanted = false;
    clearTimeout(this.#retry);
    if (this.#wasOpened) this.#client.end(true); // which MQTT.js cannot without a stream
  }

  /** Only while online. Settles when the broker has acknowledged or refused it, whatever happens in between. */
  publish(
    message: { readonly topic: string; readonly payload: Buffer | string },
    options: IClientPublishOptions,
    settled: (outcome: Settled) => void,
  ): void {
    this.#client.publish(message.topic, message.payload, options, (error) => {
      const code = (error as { code?: unknown } | null | undefined)?.code;
      // A PUBREL that was sent again may be unknown: the PUBCOMP was lost with the broker (5.0, section 3.7.2.1).
      if (!error || code === ReasonCode.packetIdentifierNotFound) settled({});
      else if (typeof code === "number") settled({ refusal: describeCode(code) });
      // Else this client was closed; while it lives it sends again what is not acknowledged.
    });
  }

  /** Only while online. Resolves with whether the broker granted it; undefined when the connection ended before. */
  subscribe(filter: string, qos: 1 | 2, identifier?: number): Promise<boolean | undefined> {
    const properties =
      identifier === undefined ? undefined : { subscriptionIdentifier: identifier };
    return new Promise((resolve) => {
      this.#client.subscribe(filter, { qos, properties }, (error, _granted, packet) => {
        if (packet === undefined) resolve(undefined);
        else resolve(!error);
      });
    });
  }

  /** The same for the end of a subscription. */
  unsubscribe(filter: string): Promise<boolean | undefined> {
    return new Promise((resolve) => {
      this.#client.unsubscribe(filter, {}, (error) => resolve(error ? undefined : true));
    });
  }

  #open(): void {
    if (!this.#isWanted || this.#isOpen) return;
    if (this.#broker.port === undefined) {
      this.#openLater();
      return;
    }
    this.#isOpen = true;
    this.#wasOpened = true;
    this.#client.connect();
  }

  #openLater(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#open(), retryMilliseconds);
  }

  #listen(): void {
    const client = this.#client;
    client.on("packetreceive", (packet) => this.#look(packet));
    client.on("connect", ({ sessionPresent }) => {
      this.#isOnline = true;
      this.#handlers.online?.(sessionPresent);
    });
    client.on("close", () => {
      const wasOnline = this.#isOnline;
      this.#isOpen = false;
      this.#isOnline = false;
      if (wasOnline) this.#handlers.offline?.();
      if (this.#isWanted) this.#openLater();
    });
    client.on("error", (error) => {
      const { code = "" } = error as { code?: string };
      const isExpected = expectedErrors.has(code) || !this.#isWanted; // who leaves may still acknowledge
      if (!isExpected) this.#options.note(`${this.name}: ${error.message}`);
      // Whatever MQTT.js calls an error leaves a connection that is not to be trusted.
      client.stream.destroy();
    });
    client.on("disconnect", ({ reasonCode = 0, properties }) => {
      const reason = describeCode(reasonCode, properties?.reasonString);
      this.#options.note(`${this.name} was disconnected: ${reason}`);
      client.stream.destroy();
    });
    client.handleMessage = (_packet, done) => {
      const { stream } = client;
      // An acknowledgement belongs to the connection on which its message came.
      const send = () => {
        if (client.stream === stream && client.connected) done();
      };
      if (this.#handlers.acknowledge) this.#handlers.acknowledge(send);
      else send();
    };
  }

  /** Sees each packet before MQTT.js handles it: what it tells of QoS 2 can come twice when PUBCOMP is late. */
  #look(packet: Packet): void {
    const { messageId = 0 } = packet;
    if (packet.cmd === "connack") {
      this.#store.sessionResumed = packet.sessionPresent;
      if (!packet.sessionPresent) this.#taken.clear();
      if (packet.returnCode === 0 || packet.reasonCode === 0)
        this.#handlers.welcomed?.(packet.sessionPresent);
    } else if (packet.cmd === "pubrel") this.#taken.delete(messageId);
    else if (packet.cmd === "publish") {
      if (packet.qos === 2) {
        if (this.#taken.has(messageId)) return;
        this.#taken.add(messageId);
      }
      this.#handlers.message?.(packet);
    }
  }
}
