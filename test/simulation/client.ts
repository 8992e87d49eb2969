/**
 * A client that does what comes into its mind - publishes, subscribes, stays away, forgets to hang up - and keeps to the
 * standard in it. Of its session it knows what an ideal client would: see `hearConnack`.
 */
import {
  type ConnackPacket,
  type ConnectPacket,
  type DisconnectPacket,
  type Packet,
  PacketType,
  ProtocolVersion,
  type PublishPacket,
  type QoS,
} from "../../src/codec/index.ts";
import type { Chance } from "../fuzz/chance.ts";
import { ClientSession } from "./client-session.ts";
import type { Link } from "./link.ts";
import { payloadFor } from "./names.ts";
import type { ClientSettings } from "./settings.ts";

/** What a client needs of the world. */
export interface ClientSurroundings {
  readonly chance: Chance;
  readonly payloadBytesMax: number;
  /** Undefined while nobody listens. */
  connect(client: Client): Link | undefined;
  /** Nobody can know whether the session that is there is still the client's: an answer to CONNECT was lost. */
  mayTakeAnother(client: Client): boolean;
  /** The session that the broker means, as the model knows it: so that a client never takes one for another. */
  sessionOf(link: Link): object | undefined;
  heard(client: Client, packet: PublishPacket, isNew: boolean): void;
  /** Calls back after some of a client's time. */
  later(client: Client, milliseconds: number, run: () => void): void;
}

const topics = ["a", "a/b", "a/c", "b/b", "b/c/d"] as const;
const filters = ["#", "a/#", "a/+", "+/b", "a/b", "b/c/d"] as const;
const sharedFilters = ["$share/g/a/#", "$share/g/+/b", "$share/h/a/b"] as const;
const unacknowledgedMax = 8;
const answerShares = [1, 1, 0.5] as const;
const wordless = new Set<number>([PacketType.publish, PacketType.suback, PacketType.unsuback]);

export class Client {
  readonly clientIdentifier: string;
  readonly settings: ClientSettings;
  readonly session = new ClientSession();
  link: Link | undefined;
  isConnected = false;
  /** It only answers and reconnects: the end has come. */
  isCalm = false;
  /** The protocol of its connection. */
  version: ProtocolVersion;
  readonly #around: ClientSurroundings;
  readonly #subscribed = new Set<string>();
  /** The session that its state belongs to. */
  #known: object | undefined;
  #wantsClean = false;
  #messages = 0;
  #requestIdentifier = 60_000;
  #isAnswering = false;

  constructor(clientIdentifier: string, settings: ClientSettings, around: ClientSurroundings) {
    this.clientIdentifier = clientIdentifier;
    this.settings = settings;
    this.version = settings.version;
    this.#around = around;
  }

  /** Its next thought, and all that follow from it. */
  live(): void {
    const { chance } = this.#around;
    this.#around.later(this, chance.below(this.settings.pauseMillisecondsMax + 1), () => {
      if (this.isCalm) return;
      if (this.link === undefined) this.connect();
      else if (this.isConnected) this.#act();
      else if (chance.happens(0.05)) this.link.lose(chance.happens(0.3));
      if (this.link !== undefined) this.live();
      else this.stayAway();
    });
  }

  stayAway(): void {
    const { chance } = this.#around;
    const seconds = chance.happens(0.8) ? this.settings.absenceSecondsMax : 400;
    this.#around.later(this, chance.below(seconds * 1000), () => {
      if (this.isCalm) return;
      if (this.link === undefined) this.connect();
      this.live();
    });
  }

  /** On a new connection, whether the broker still has an old one or not. */
  connect({ isLast = false }: { isLast?: boolean } = {}): void {
    const { chance } = this.#around;
    const { settings } = this;
    if (chance.happens(0.05) && !isLast) this.version = chance.pick([3, 4, 5] as const);
    const link = this.#around.connect(this);
    if (link === undefined) return;
    this.link = link;
    this.#wantsClean ||= isLast || (!this.isCalm && chance.happens(settings.cleanShare));
    if (!this.session.isEmpty && this.#around.mayTakeAnother(this)) this.#wantsClean = true;
    const isV5 = this.version === ProtocolVersion.v5;
    const cleanStart = this.#wantsClean || (!isV5 && settings.expirySeconds === 0);
    const connect: ConnectPacket = {
      type: PacketType.connect,
      protocolVersion: this.version,
      cleanStart,
      keepAliveSeconds: 0,
      clientIdentifier: this.clientIdentifier,
      properties: {},
    };
    if (isV5 && !isLast) {
      connect.properties.sessionExpiryInterval = settings.expirySeconds;
      connect.properties.receiveMaximum = settings.receiveMaximum;
    }
    if (chance.happens(settings.willShare) && !this.isCalm) connect.will = this.#will(isV5);
    link.send(connect);
  }

  #will(isV5: boolean): ConnectPacket["will"] {
    const { chance } = this.#around;
    const name = `${this.clientIdentifier}.will${this.#messages++}`;
    return {
      topic: chance.pick([`will/${this.clientIdentifier}`, "a/b"]),
      payload: payloadFor(name, 0),
      qos: chance.pick<QoS>([0, 1, 2, 2]),
      retain: false,
      properties: isV5 ? { willDelayInterval: chance.pick([0, 0, 2, 20]) } : {},
    };
  }

  /** The link is gone for it. */
  lost(link: Link): void {
    if (this.link !== link) return;
    this.link = undefined;
    this.isConnected = false;
    this.session.owed.length = 0;
  }

  hear(link: Link, packet: Packet): void {
    if (this.link !== link) return;
    if (packet.type === PacketType.connack) this.#hearConnack(link, packet);
    else if (packet.type === PacketType.publish) {
      this.#around.heard(this, packet, this.session.take(packet));
    } else if (!wordless.has(packet.type)) this.session.hear(packet);
    this.answer();
  }

  /** A client that heard no CONNACK cannot know that its session began anew; this one does. */
  #hearConnack(link: Link, packet: ConnackPacket): void {
    if (packet.reasonCode !== 0) return;
    this.isConnected = true;
    this.#wantsClean = false;
    const session = this.#around.sessionOf(link);
    if (session !== this.#known) {
      this.session.forget();
      this.#subscribed.clear();
    }
    this.#known = session;
    for (const again of this.session.sentAgain()) link.send(again);
    if (this.settings.isArchive && this.#subscribed.size === 0 && !this.isCalm) {
      this.#subscribe("#", 2);
    }
  }

  /** Some of what it owes, the oldest first; the rest later. */
  answer(): void {
    const { owed } = this.session;
    if (owed.length === 0 || this.#isAnswering || !this.isConnected) return;
    const { chance } = this.#around;
    const share = this.isCalm ? 1 : chance.pick(answerShares);
    const count = chance.happens(share) ? owed.length : chance.below(owed.length);
    for (const packet of owed.splice(0, count)) this.link?.send(packet);
    if (owed.length === 0) return;
    this.#isAnswering = true;
    this.#around.later(this, chance.below(3000), () => {
      this.#isAnswering = false;
      this.answer();
    });
  }

  #act(): void {
    const { chance } = this.#around;
    const what = chance.below(100);
    if (what < 60) this.#publish();
    else if (what < 75) this.#subscribe();
    else if (what < 80) this.#unsubscribe();
    else if (what < 84) this.link?.stall();
    else if (what < 88) this.disconnect();
    else if (what < 94) this.link?.lose(chance.happens(0.4));
  }

  #publish(): void {
    const { chance } = this.#around;
    const isV5 = this.version === ProtocolVersion.v5;
    const qos = chance.pick<QoS>([0, 1, 1, 2, 2]);
    const retain = chance.happens(0.2);
    const deletes = retain && qos < 2 && chance.happens(0.2);
    if (qos > 0 && this.session.unacknowledged >= unacknowledgedMax) return;
    const name = `${this.clientIdentifier}.${this.#messages++}`;
    const packet: PublishPacket = {
      type: PacketType.publish,
      topic: chance.pick(topics),
      payload: deletes
        ? Buffer.alloc(0)
        : payloadFor(name, chance.pick([0, 0, 0, this.#around.payloadBytesMax])),
      qos,
      retain,
      dup: false,
      properties: {},
    };
    if (isV5 && !retain && chance.happens(0.15)) {
      packet.properties.messageExpiryInterval = chance.pick([1, 10, 100]);
    }
    if (qos > 0) this.session.add(packet);
    this.link?.send(packet);
  }

  #subscribe(filter?: string, atQos?: QoS): void {
    const { chance } = this.#around;
    const isShared = chance.happens(0.3);
    const wanted = filter ?? chance.pick(isShared ? sharedFilters : filters);
    const isV5 = this.version === ProtocolVersion.v5;
    const isGroup = wanted.startsWith("$share/");
    const qos = atQos ?? chance.pick<QoS>(isGroup ? [1, 2] : [0, 1, 1, 2, 2]);
    this.#subscribed.add(wanted);
    this.link?.send({
      type: PacketType.subscribe,
      packetIdentifier: this.#requestIdentifier++,
      subscriptions: [
        {
          filter: wanted,
          qos,
          noLocal: isV5 && !isGroup && chance.happens(0.1),
          retainAsPublished: isV5 && chance.happens(0.2),
          retainHandling: isV5 ? chance.pick([0, 0, 1, 2]) : 0,
        },
      ],
      properties:
        isV5 && chance.happens(0.3) ? { subscriptionIdentifiers: [chance.between(1, 300)] } : {},
    });
  }

  #unsubscribe(): void {
    const { chance } = this.#around;
    const filter = chance.pick([...this.#subscribed, "b/c/d"]);
    if (this.settings.isArchive && filter === "#") return;
    this.#subscribed.delete(filter);
    this.link?.send({
      type: PacketType.unsubscribe,
      packetIdentifier: this.#requestIdentifier++,
      filters: [filter],
      properties: {},
    });
  }

  disconnect({ isLast = false }: { isLast?: boolean } = {}): void {
    const { chance } = this.#around;
    const isV5 = this.version === ProtocolVersion.v5;
    const keepsWill = isV5 && !isLast && chance.happens(0.2);
    const packet: DisconnectPacket = {
      type: PacketType.disconnect,
      reasonCode: keepsWill ? 4 : 0,
      properties: {},
    };
    if (isV5 && !isLast && !this.settings.isArchive && this.settings.expirySeconds > 0) {
      if (chance.happens(0.3)) packet.properties.sessionExpiryInterval = chance.pick([0, 5, 500]);
    }
    this.link?.send(packet);
    this.isConnected = false;
  }
}
