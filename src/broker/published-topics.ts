/**
 * The topics that one connection publishes to: the route of each and what the client may send there, decided once and
 * remembered. The topic of the last packet is found by its bytes alone, without decoding them.
 */
import { TstackError } from "../base/index.ts";
import { decodeUtf8, type QoS } from "../codec/index.ts";
import { isValidTopicName } from "../topics/index.ts";
import type { Route } from "./routes.ts";

export interface PublishedTopic {
  readonly topic: string;
  readonly bytes: Buffer;
  /** Found when the right to publish has been given; may have to be made current: see `Routes`. */
  route: Route | undefined;
  /** Kinds of message (`kindOf`) that the authorizer has been asked about, and those of them that it allows. */
  asked: number;
  allowed: number;
  /** Of the authorizer, when it was asked; -1 before. */
  generation: number;
  /** Whether the log has told that its retained messages are not kept. */
  isFullLogged: boolean;
}

/** What rights may tell apart, as one bit of six: QoS, and with RETAIN or without. */
export function kindOf(qos: QoS, retain: boolean): number {
  return retain ? 8 << qos : 1 << qos;
}

/** Topics remembered for one connection, and their bytes. */
const topicsMax = 256;
const topicsBytesMax = 32_768;

export class PublishedTopics {
  /** The topic of the packet before this one. */
  last: PublishedTopic | undefined;
  #byName: Map<string, PublishedTopic> | undefined;
  /** Of the topics in it. */
  #bytes = 0;
  readonly #levelsMax: number;

  constructor(levelsMax: number) {
    this.#levelsMax = levelsMax;
  }

  /**
   * The topic at `bytes[start]` to `bytes[end]`. Throws MQTT_TOPIC_NAME_INVALID or, where the bytes are not UTF-8,
   * MQTT_MALFORMED_PACKET.
   */
  find(bytes: Buffer, start: number, end: number): PublishedTopic {
    const { last } = this;
    if (last !== undefined && hasBytes(last.bytes, bytes, start, end)) return last;
    return this.findByName(decodeUtf8(bytes, start, end)); // [MQTT-3.3.2-1], 3.1.1: [MQTT-3.3.2-1]
  }

  findByName(topic: string): PublishedTopic {
    if (this.last?.topic === topic) return this.last;
    let found = this.#byName?.get(topic);
    if (found === undefined) {
      if (!isValidTopicName(topic, this.#levelsMax)) {
        throw new TstackError(
          "MQTT_TOPIC_NAME_INVALID", // [MQTT-3.3.2-2], [MQTT-4.7.3-1]
          `"${topic.slice(0, 100)}" is no topic name: it is empty, has a wildcard or more than ${this.#levelsMax} levels`,
          { limit: isValidTopicName(topic, Infinity) ? "topicLevelsMax" : undefined },
        );
      }
      found = {
        topic,
        bytes: Buffer.from(topic),
        route: undefined,
        asked: 0,
        allowed: 0,
        generation: -1,
        isFullLogged: false,
      };
      this.#remember(found);
    }
    this.last = found;
    return found;
  }

  clear(): void {
    this.last = undefined;
    this.#byName = undefined;
    this.#bytes = 0;
  }

  /** The first topic needs no map: most clients publish to one. */
  #remember(published: PublishedTopic): void {
    const { last } = this;
    if (last === undefined) return;
    const isFull = this.#byName?.size === topicsMax || this.#bytes > topicsBytesMax;
    if (this.#byName === undefined || isFull) {
      this.#byName = new Map([[last.topic, last]]);
      this.#bytes = last.bytes.length;
    }
    this.#byName.set(published.topic, published);
    this.#bytes += published.bytes.length;
  }
}

export function hasBytes(topic: Buffer, bytes: Buffer, start: number, end: number): boolean {
  const length = end - start;
  if (topic.length !== length) return false;
  for (let i = 0; i < length; i++) if (topic[i] !== bytes[start + i]) return false;
  return true;
}
