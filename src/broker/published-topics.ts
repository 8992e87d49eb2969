/**
 * The topics that one connection publishes to: the route of each and whether the client may use it, decided once and
 * remembered. The topic of the last packet is found by its bytes alone, without decoding them.
 */
import { TstackError } from "../base/index.ts";
import { decodeUtf8 } from "../codec/index.ts";
import { isValidTopicName } from "../topics/index.ts";
import type { Route, Routes } from "./routes.ts";

export interface PublishedTopic {
  readonly topic: string;
  readonly bytes: Buffer;
  /** May have to be made current: see `Routes`. */
  route: Route;
  allowed: boolean;
  /** In words: why. */
  rule: string;
  /** Of the authorizer, when it decided; -1 before it has. */
  generation: number;
}

/** Topics remembered for one connection. */
const topicsMax = 256;

export class PublishedTopics {
  /** The topic of the packet before this one. */
  last: PublishedTopic | undefined;
  #byName: Map<string, PublishedTopic> | undefined;
  readonly #levelsMax: number;
  readonly #routes: Routes;

  constructor(levelsMax: number, routes: Routes) {
    this.#levelsMax = levelsMax;
    this.#routes = routes;
  }

  /**
   * The topic at `bytes[start]` to `bytes[end]`. Throws MQTT_TOPIC_NAME_INVALID or, where the bytes are not UTF-8,
   * MQTT_MALFORMED_PACKET.
   */
  find(bytes: Buffer, start: number, end: number): PublishedTopic {
    const { last } = this;
    if (last !== undefined && hasBytes(last.bytes, bytes, start, end)) return last;
    return this.findByName(decodeUtf8(bytes, start, end));
  }

  findByName(topic: string): PublishedTopic {
    if (this.last?.topic === topic) return this.last;
    let found = this.#byName?.get(topic);
    if (found === undefined) {
      if (!isValidTopicName(topic, this.#levelsMax)) {
        throw new TstackError(
          "MQTT_TOPIC_NAME_INVALID", // [MQTT-3.3.2-2], [MQTT-4.7.3-1]
          `"${topic.slice(0, 100)}" is no topic name: it is empty, has a wildcard or more than ${this.#levelsMax} levels`,
        );
      }
      found = {
        topic,
        bytes: Buffer.from(topic),
        route: this.#routes.find(topic),
        allowed: false,
        rule: "",
        generation: -1,
      };
      this.#remember(found);
    }
    this.last = found;
    return found;
  }

  /** The first topic needs no map: most clients publish to one. */
  #remember(published: PublishedTopic): void {
    const { last } = this;
    if (last === undefined) return;
    if (this.#byName === undefined || this.#byName.size >= topicsMax) {
      this.#byName = new Map([[last.topic, last]]);
    }
    this.#byName.set(published.topic, published);
  }
}

export function hasBytes(topic: Buffer, bytes: Buffer, start: number, end: number): boolean {
  const length = end - start;
  if (topic.length !== length) return false;
  for (let i = 0; i < length; i++) if (topic[i] !== bytes[start + i]) return false;
  return true;
}
