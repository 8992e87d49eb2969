/** Topic aliases of one connection, in both directions (5.0, section 3.3.2.3.4). They end with the connection [MQTT-3.3.2-7]. */
import { TstackError } from "../base/index.ts";
import { type PublishVariant, topicAliasPropertyBytes } from "../codec/index.ts";
import type { Message } from "./message.ts";
import type { EncodedPublish, PublishEncoder } from "./publish-encoder.ts";

/** Set by the client. */
export class InboundAliases {
  readonly #topics = new Map<number, string>();
  readonly #maximum: number;

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** Throws MQTT_TOPIC_ALIAS_INVALID beyond the maximum [MQTT-3.2.2-17], [MQTT-3.3.2-9]. */
  set(alias: number, topic: string): void {
    this.#check(alias);
    this.#topics.set(alias, topic);
  }

  get(alias: number): string {
    this.#check(alias);
    const topic = this.#topics.get(alias);
    if (topic === undefined) {
      throw new TstackError("MQTT_TOPIC_ALIAS_INVALID", `topic alias ${alias} was never set`);
    }
    return topic;
  }

  #check(alias: number): void {
    if (alias <= this.#maximum) return; // [MQTT-3.3.2-8] 0 is refused by the codec
    throw new TstackError(
      "MQTT_TOPIC_ALIAS_INVALID",
      `topic alias ${alias} is beyond the maximum of ${this.#maximum}`,
      { limit: "topicAliasMax" },
    );
  }
}

/** Set by the broker: the first topics that a client is sent get one, up to its maximum. */
export class OutboundAliases {
  readonly #aliases = new Map<string, number>();
  readonly #maximum: number;

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** An alias is not used where the packet would be longer for it, or too long for the client. */
  encode(
    message: Message,
    variant: PublishVariant,
    encoder: PublishEncoder,
    packetBytesMax: number,
  ): EncodedPublish {
    const known = this.#aliases.get(message.topic);
    const alias = known ?? this.#free;
    if (alias > 0 && message.topicEnd - message.topicStart > topicAliasPropertyBytes) {
      const omitTopic = known !== undefined;
      const encoded = encoder.encode(message, { ...variant, topicAlias: alias, omitTopic });
      if (encoded.end - encoded.start <= packetBytesMax) {
        if (!omitTopic) this.#aliases.set(message.topic, alias);
        return encoded;
      }
    }
    return encoder.encode(message, variant);
  }

  /** The alias that the next topic would get; 0 when all are taken [MQTT-3.1.2-26] [MQTT-3.3.2-11]. */
  get #free(): number {
    return this.#aliases.size < this.#maximum ? this.#aliases.size + 1 : 0;
  }
}
