/**
 * One seed: a broker whose power fails, its disk, clients that come and go over links that break, and the model that
 * watches. Between any two events the world stands still, and the broker has done all it can do by itself.
 */
import { completeLimits, type Limits } from "../../src/base/index.ts";
import {
  type Packet,
  PacketType,
  ProtocolVersion,
  type PublishPacket,
} from "../../src/codec/index.ts";
import { Chance } from "../fuzz/chance.ts";
import { Client, type ClientSurroundings } from "./client.ts";
import { describePacket } from "./describe.ts";
import { Disk } from "./disk.ts";
import { History } from "./history.ts";
import { Incarnation } from "./incarnation.ts";
import { Link } from "./link.ts";
import { Conversation } from "./model/conversation.ts";
import { hear } from "./model/hearing.ts";
import { Model } from "./model/model.ts";
import { audit } from "./model/reckoning.ts";
import { arrive, say, welcome } from "./model/saying.ts";
import type { Sabotage } from "./sabotage.ts";
import { drawSettings, type Settings } from "./settings.ts";
import { Timeline } from "./timeline.ts";

/** Turns of the queue of microtasks after which nothing that was promised can still be on its way. */
const turnsToSettle = 40;
/** The share of ends of the broker that are no crash. */
const closingShare = 0.2;
const downtimeMillisecondsMax = 3000;
const fullMillisecondsMax = 5000;

const streams = { settings: 0, world: 1 };

export interface WorldOptions {
  readonly seed: number;
  readonly sabotage: Sabotage;
  readonly peeks: boolean;
}

export class World implements ClientSurroundings {
  readonly settings: Settings;
  readonly limits: Limits;
  readonly timeline = new Timeline();
  readonly history = new History(this.timeline);
  readonly disk = new Disk();
  readonly chance: Chance;
  readonly model: Model;
  readonly clients: Client[];
  incarnation: Incarnation;
  crashes = 0;
  /** Between a crash and the next start. */
  isDown = false;
  /** No power failure, no broken link, no full disk any more. */
  isCalm = false;
  readonly #sabotage: Sabotage;
  readonly #conversations = new WeakMap<Link, Conversation>();
  /** Those that this process of the broker has accepted. */
  #links: Link[] = [];
  #linkCount = 0;
  #incarnations = 0;

  constructor({ seed, sabotage, peeks }: WorldOptions) {
    this.settings = drawSettings(new Chance(seed, streams.settings));
    this.limits = completeLimits(this.settings.limits);
    this.chance = new Chance(seed, streams.world);
    this.#sabotage = sabotage;
    const { diskDelayMax, diskFullShare, hasTightQueues, authenticationDelayMax } = this.settings;
    this.model = new Model({
      timeline: this.timeline,
      history: this.history,
      ledger: this.disk.ledger,
      limits: this.limits,
      hasTightQueues,
      mayRefuse: diskFullShare > 0,
      expirySlack:
        6000 + 10 * diskDelayMax + authenticationDelayMax + (diskFullShare > 0 ? 10_000 : 0),
      peeks,
    });
    this.clients = this.settings.clients.map(
      (settings, index) => new Client(`c${index}`, settings, this),
    );
    this.incarnation = this.#start();
    for (const client of this.clients) client.live();
  }

  #start(): Incarnation {
    const { settings, limits, timeline, chance, history, disk } = this;
    const sabotage = this.#sabotage;
    const around = { settings, limits, timeline, chance, history, disk, sabotage };
    const incarnation = new Incarnation(around, this.#incarnations++);
    incarnation.isSafe = this.isCalm;
    const failed = (error: unknown): void => {
      if (incarnation.isAlive) history.report(`the broker does not start: ${describeError(error)}`);
    };
    incarnation.start().then(() => {
      if (!incarnation.isAlive) return;
      history.record("the broker listens");
      this.model.restored();
      audit(this.model, incarnation.broker);
    }, failed);
    return incarnation;
  }

  /** The next event, and all that follows from it at once. False when nothing is left to happen until then. */
  async step(until = Number.POSITIVE_INFINITY): Promise<boolean> {
    const { history, chance, settings } = this;
    const event = this.timeline.take(until);
    if (event === undefined) return false;
    history.moment++;
    if (event.title !== undefined) history.record(event.title);
    try {
      event.run();
    } catch (error) {
      history.report(describeError(error));
    }
    const crashes = !this.isCalm && chance.happens(settings.crashShare);
    await settle(crashes ? chance.below(turnsToSettle) : turnsToSettle);
    const { incarnation } = this;
    if (this.isDown) return true;
    if (crashes && incarnation.isReady && chance.happens(closingShare)) this.#close();
    else if (crashes || !incarnation.isAlive) this.crash();
    else if (incarnation.isQuiet) {
      this.model.stored();
      audit(this.model, incarnation.broker);
    }
    return true;
  }

  /** The broker is told to end, as it should be; the power may go before it has. */
  #close(): void {
    const { history, incarnation, model } = this;
    history.record("the broker is told to end");
    incarnation.isReady = false;
    for (const will of model.wills.values()) will.mayBeCancelled = true;
    incarnation.broker.close().then(
      () => {
        if (!incarnation.isAlive) return;
        history.record("the broker has ended");
        if (incarnation.broker.journal.isIdle) model.stored(); // unless the disk is full
        incarnation.isAlive = false;
      },
      (error: unknown) => history.report(`the broker does not end: ${describeError(error)}`),
    );
  }

  crash(): void {
    const { history, incarnation, timeline, chance } = this;
    history.record("the power goes");
    this.crashes++;
    this.isDown = true;
    incarnation.isAlive = false;
    incarnation.storage.crash();
    this.model.crashed();
    for (const link of this.#links) link.crash();
    this.#links = [];
    timeline.after(
      chance.below(downtimeMillisecondsMax),
      () => {
        this.isDown = false;
        this.incarnation = this.#start();
      },
      { title: "the broker starts again" },
    );
  }

  get payloadBytesMax(): number {
    return this.settings.payloadBytesMax;
  }

  connect(client: Client): Link | undefined {
    const { incarnation, timeline, chance, history } = this;
    if (!incarnation.isReady || !incarnation.isAlive) return undefined;
    const name = `${client.clientIdentifier}/${this.#linkCount++}`;
    const conversation = new Conversation(name, client.clientIdentifier, client.version);
    const delayMax = this.isCalm ? 0 : chance.below(this.settings.linkDelayMax + 1);
    const around = { timeline, chance, history, process: incarnation, delayMax };
    const link: Link = new Link(name, client.version, around, {
      brokerSaid: (packet) => this.#said(conversation, packet),
      brokerHears: (packet) => this.#hears(conversation, packet),
      clientHears: (packet) => this.#clientHears(client, link, packet),
      overForBroker: () => this.model.over(conversation),
      overForClient: () => client.lost(link),
    });
    history.record(`${name} connects`);
    this.#links.push(link);
    this.#conversations.set(link, conversation);
    this.model.conversations.add(conversation);
    link.open(incarnation.broker.accept(link));
    return link;
  }

  mayTakeAnother({ clientIdentifier }: Client): boolean {
    return this.model.mayBeMistaken(clientIdentifier);
  }

  sessionOf(link: Link): object | undefined {
    return this.#conversations.get(link)?.epoch;
  }

  later(_client: Client, milliseconds: number, run: () => void): void {
    const act = (): void => {
      const { chance, settings, incarnation } = this;
      if (!this.isCalm && chance.happens(settings.diskFullShare)) {
        this.history.record("the disk is full for a while");
        incarnation.storage.fullUntil = this.timeline.now + chance.below(fullMillisecondsMax);
      }
      run();
    };
    this.timeline.after(milliseconds, act);
  }

  heard(client: Client, packet: PublishPacket, isNew: boolean): void {
    const epoch = client.link && this.#conversations.get(client.link)?.epoch;
    if (isNew && epoch !== undefined) arrive(this.model, epoch, packet);
    else if (!packet.dup)
      this.history.report(`${client.clientIdentifier} gets it again without DUP`);
  }

  #said(conversation: Conversation, packet: Packet): void {
    this.history.moment++;
    this.history.record(`${conversation.name} < ${describePacket(packet)}`);
    if (packet.type !== PacketType.connack) {
      say(this.model, conversation, packet);
      return;
    }
    const { presence } = this.incarnation;
    const isPresent =
      conversation.version === ProtocolVersion.v3_1
        ? presence.get(conversation.name) === true
        : packet.sessionPresent;
    welcome(this.model, conversation, { packet, isPresent });
  }

  #hears(conversation: Conversation, packet: Packet): void {
    this.history.moment++;
    this.history.record(`${conversation.name} > ${describePacket(packet)}`);
    hear(this.model, conversation, packet);
  }

  #clientHears(client: Client, link: Link, packet: Packet): void {
    this.history.record(`${client.clientIdentifier} hears ${describePacket(packet)}`);
    client.hear(link, packet);
  }
}

async function settle(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await undefined;
}

export function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
