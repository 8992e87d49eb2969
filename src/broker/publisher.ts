/**
 * The half of a connection that publishes: its topics and their rights, its aliases, and the range of frames
 * being gathered. A range holds frames of this chunk only, so nothing of it outlives the call that brought the bytes.
 */
import { assert, protocolError, ReasonCode } from "../base/index.ts";
import { type LocatedFrame, locateFrame } from "../codec/index.ts";
import type { Connection } from "./connection.ts";
import { newPublishHeader } from "./delivery.ts";
import { Message } from "./message.ts";
import type { AuthorizationDecision } from "./ports.ts";
import { acknowledgePublish } from "./publish-acknowledgement.ts";
import type { PublishRange } from "./publish-range.ts";
import { hasBytes, kindOf, type PublishedTopic, PublishedTopics } from "./published-topics.ts";
import type { Route } from "./routes.ts";
import { InboundAliases } from "./topic-aliases.ts";

export class Publisher {
  /** The PUBLISH being handled. */
  readonly message = new Message();
  readonly header = newPublishHeader();
  readonly #connection: Connection;
  readonly #topics: PublishedTopics;
  #aliases: InboundAliases | undefined;
  #range: (PublishRange & { published: PublishedTopic }) | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#topics = new PublishedTopics(connection.limits.topicLevelsMax);
  }

  get clientIdentifier(): string {
    return this.#connection.identity?.clientIdentifier ?? "";
  }

  /**
   * The hot path: a frame of QoS 0 or 1 without RETAIN and DUP, with the topic of the packet before it and no properties,
   * joins the range. False when it is not one of those: then it is handled in full.
   */
  extendRange(bytes: Buffer, start: number, bodyStart: number, end: number): boolean {
    const published = this.#topics.last;
    if (published === undefined) return false;
    const qos = bytes[start] === 0x32 ? 1 : 0;
    if ((published.allowed & (1 << qos)) === 0) return false; // as `kindOf` has it
    const { authorizer, journal } = this.#connection.broker;
    if (published.generation !== authorizer.generation) return false;
    if (journal.failure !== undefined) return false; // each may have to be refused
    const topicBytes = published.bytes.length;
    const topicEnd = bodyStart + 2 + topicBytes;
    const rest = topicEnd + 2 * qos;
    if (rest > end || ((bytes[bodyStart] << 8) | bytes[bodyStart + 1]) !== topicBytes) return false;
    if (!hasBytes(published.bytes, bytes, bodyStart + 2, topicEnd)) return false;
    if (qos === 1 && bytes[topicEnd] === 0 && bytes[topicEnd + 1] === 0) return false;
    if (hasPaddedLength(bytes, start, bodyStart)) return false;
    const { isV5 } = this.#connection;
    if (isV5 && (rest === end || bytes[rest] !== 0)) return false;
    const range = this.#range;
    if (
      range !== undefined &&
      range.end === start &&
      range.bytes === bytes &&
      range.published === published &&
      range.qos === qos
    ) {
      range.end = end;
      range.count++;
      if (end - start > range.frameBytesMax) range.frameBytesMax = end - start;
      return true;
    }
    this.flush();
    this.#range = {
      bytes,
      start,
      end,
      count: 1,
      frameBytesMax: end - start,
      qos,
      topic: published.topic,
      topicBytes,
      publisher: this.clientIdentifier,
      isV5,
      published,
    };
    return true;
  }

  /** Delivers the range that has been gathered, and acknowledges it. */
  flush(): void {
    const range = this.#range;
    if (range === undefined) return;
    this.#range = undefined;
    const { broker } = this.#connection;
    const { published } = range;
    broker.counters.publishReceived += range.count;
    broker.counters.publishBytesReceived += range.end - range.start;
    const route = this.routeOf(published);
    const { promised } = broker.journal;
    broker.delivery.forward(route, range);
    if (range.qos === 0) return;
    const mustWait = broker.journal.promised !== promised || broker.delivery.isBusy;
    this.#acknowledge(range, route.hasSubscribers, mustWait);
  }

  #acknowledge(range: PublishRange, hasSubscribers: boolean, mustWait: boolean): void {
    const reasonCode = hasSubscribers ? ReasonCode.success : ReasonCode.noMatchingSubscribers;
    const frame: LocatedFrame = { bytes: range.bytes, start: 0, bodyStart: 0, end: 0 };
    const acknowledged = { qos: range.qos, packetIdentifier: 0, mustWait };
    for (let start = range.start; start < range.end; start = frame.end) {
      locateFrame(frame, start);
      acknowledged.packetIdentifier = range.bytes.readUInt16BE(
        frame.bodyStart + 2 + range.topicBytes,
      );
      acknowledgePublish(this.#connection, acknowledged, reasonCode);
    }
  }

  /** The current route of a topic that the client may publish to. */
  routeOf(published: PublishedTopic): Route {
    const { routes } = this.#connection.broker;
    const { route, topic } = published;
    published.route = route === undefined ? routes.find(topic) : routes.current(route);
    return published.route;
  }

  /** The topic of the PUBLISH in `message` and `header`, by its bytes or its alias. Throws where there is none. */
  findTopic(): PublishedTopic {
    const { bytes, topicStart, topicEnd } = this.message;
    const { topicAlias } = this.header.properties;
    if (topicAlias === 0) {
      // 5.0, section 3.3.2.1; a 3.x client hears no code
      if (topicStart === topicEnd) throw protocolError("PUBLISH without a topic");
      return this.#topics.find(bytes, topicStart, topicEnd);
    }
    this.#aliases ??= new InboundAliases(this.#connection.limits.topicAliasMax);
    if (topicStart === topicEnd) return this.#topics.findByName(this.#aliases.get(topicAlias));
    const published = this.#topics.find(bytes, topicStart, topicEnd);
    this.#aliases.set(topicAlias, published.topic); // [MQTT-3.3.2-12]
    return published;
  }

  /** What was decided no longer counts: the client is another one now, or has other rights. */
  forgetRights(): void {
    this.#topics.clear();
  }

  /** Asks for the right to publish, unless it is known. */
  authorize(published: PublishedTopic): Promise<void> | undefined {
    const { broker, identity } = this.#connection;
    const { generation } = broker.authorizer;
    const { qos, retain } = this.header;
    const kind = kindOf(qos, retain);
    if (published.generation === generation && (published.asked & kind) !== 0) return undefined;
    assert(identity !== undefined, "nobody publishes before CONNACK");
    const decided = (decision: AuthorizationDecision): void => {
      if (published.generation !== generation) {
        published.generation = generation;
        published.asked = 0;
        published.allowed = 0;
      }
      published.asked |= kind;
      if (decision.allowed) published.allowed |= kind;
      if (decision.allowed) return;
      broker.log.info(
        { client: identity.clientIdentifier, topic: published.topic, rule: decision.rule },
        "what is published there is refused",
      );
    };
    const decision = broker.authorize({
      client: identity,
      action: "publish",
      topic: published.topic,
      qos,
      retain,
    });
    if (decision instanceof Promise) return decision.then(decided);
    decided(decision);
    return undefined;
  }
}

/** Whether the remaining length takes more bytes than it needs: 3.x allows that, 5.0 does not [MQTT-1.5.5-1]. */
export function hasPaddedLength(bytes: Buffer, start: number, bodyStart: number): boolean {
  return bytes[bodyStart - 1] === 0 && bodyStart - start > 2;
}
