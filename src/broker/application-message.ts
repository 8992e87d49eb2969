/** Between messages as the program that embeds the broker sees them and as the broker carries them. */
import {
  ByteReader,
  ByteWriter,
  PacketType,
  type Properties,
  readProperties,
  writeProperties,
} from "../codec/index.ts";
import { Message } from "./message.ts";
import type { ApplicationMessage } from "./ports.ts";

/** A copy, with everything decoded: the program may keep it. */
export function toApplicationMessage(message: Message): ApplicationMessage {
  return {
    topic: message.topic,
    payload: Uint8Array.prototype.slice.call(
      message.bytes,
      message.payloadStart,
      message.payloadEnd,
    ),
    qos: message.qos,
    retain: message.retain,
    properties: decodeProperties(message),
  };
}

function decodeProperties(message: Message): Properties {
  if (message.propertiesStart === message.propertiesEnd) return {};
  const writer = new ByteWriter();
  writer.writeVariableByteInteger(message.propertiesEnd - message.propertiesStart);
  writer.writeBytes(message.bytes.subarray(message.propertiesStart, message.propertiesEnd));
  return readProperties(new ByteReader(writer.toBytes()), PacketType.publish);
}

/** The properties that go along with a message from publisher to subscriber (5.0, section 3.3.2.3). */
function forwardedProperties(properties: Properties): Properties {
  const { payloadFormatIndicator, messageExpiryInterval, contentType } = properties;
  const { responseTopic, correlationData, userProperties } = properties;
  return {
    payloadFormatIndicator,
    messageExpiryInterval,
    contentType,
    responseTopic,
    correlationData,
    userProperties,
  };
}

/** The message as the broker carries it; `now` starts its expiry interval. */
export function fromApplicationMessage(
  message: ApplicationMessage,
  publisher: string,
  now: number,
): Message {
  const encoded = encodeMessage(message, publisher);
  encoded.startExpiry(now);
  return encoded;
}

/** The same for a message that is kept until it is published: its expiry interval has not started. */
export function encodeMessage(message: ApplicationMessage, publisher: string): Message {
  const { topic, qos, retain, payload } = message;
  const { bytes, expiryOffset } = encodeProperties(forwardedProperties(message.properties));
  return Message.create(
    { topic, qos, retain, publisher, expiresAt: Number.POSITIVE_INFINITY },
    { properties: bytes, expiryOffset, payload },
  );
}

/** The properties without their length, the expiry interval first so that its place is known. */
function encodeProperties(properties: Properties): { bytes: Uint8Array; expiryOffset: number } {
  const { messageExpiryInterval, ...others } = properties;
  const writer = new ByteWriter();
  writeProperties(writer, others);
  const encoded = writer.toBytes();
  const rest = encoded.subarray(encoded.length - new ByteReader(encoded).readVariableByteInteger());
  if (messageExpiryInterval === undefined) return { bytes: rest, expiryOffset: -1 };
  const bytes = Buffer.alloc(5 + rest.length);
  bytes[0] = 0x02;
  bytes.writeUInt32BE(messageExpiryInterval, 1);
  bytes.set(rest, 5);
  return { bytes, expiryOffset: 1 };
}
