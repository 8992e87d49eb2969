/**
 * Turns a message into the bytes of one variant. A frame that suits as it came is not encoded at all; small ones are
 * written into a buffer that is used again for the next, so the result is good until the next call.
 */
import { type PublishVariant, publishBytes, type QoS, writePublish } from "../codec/index.ts";
import type { Message } from "./message.ts";

/** The bytes of one PUBLISH: `bytes[start]` to `bytes[end]`, its packet identifier still to be put in. */
export interface EncodedPublish {
  bytes: Buffer;
  start: number;
  end: number;
  identifierOffset: number;
}

/** Beyond it a message gets a buffer of its own: an outbox may refer to it instead of copying (outbox.ts). */
const scratchBytes = 16_384;

export class PublishEncoder {
  readonly #scratch = Buffer.allocUnsafeSlow(scratchBytes);
  readonly #encoded: EncodedPublish = {
    bytes: this.#scratch,
    start: 0,
    end: 0,
    identifierOffset: 0,
  };

  encode(message: Message, variant: PublishVariant): EncodedPublish {
    const encoded = this.#encoded;
    if (forwardsAsItCame(message, variant)) {
      encoded.bytes = message.bytes;
      encoded.start = message.frameStart;
      encoded.end = message.frameEnd;
      encoded.identifierOffset = message.topicEnd;
      return encoded;
    }
    const length = publishBytes(message, variant);
    encoded.bytes = length < scratchBytes ? this.#scratch : Buffer.allocUnsafeSlow(length);
    encoded.start = 0;
    encoded.end = length;
    encoded.identifierOffset = writePublish(message, variant, encoded.bytes, 0);
    return encoded;
  }
}

function forwardsAsItCame(message: Message, variant: PublishVariant): boolean {
  return (
    message.frameStart >= 0 &&
    message.frameIsV5 === variant.isV5 &&
    message.qos === variant.qos &&
    message.retain === variant.retain &&
    variant.identifiers.length === 0 &&
    variant.topicAlias === 0 &&
    !variant.dup
  );
}

/** A variant to be filled in: one object serves all messages. */
export function newVariant(): PublishVariant {
  return {
    isV5: false,
    qos: 0,
    retain: false,
    dup: false, // [MQTT-4.3.1-1] and for every first time, 3.1.1: [MQTT-4.3.1-1]
    identifiers: [],
    topicAlias: 0,
    omitTopic: false,
    expirySeconds: -1,
  };
}

export function lowerQos(a: QoS, b: QoS): QoS {
  return a < b ? a : b;
}
