/** What the program that embeds the broker may publish: what a PUBLISH packet can carry, and nothing else gets in. */
import { TstackError } from "../base/index.ts";
import type { Properties } from "../codec/index.ts";
import { isValidTopicName } from "../topics/index.ts";
import type { ApplicationMessage } from "./ports.ts";

const stringBytesMax = 65_535;
const uint32Max = 0xffff_ffff;
/** Of 268,435,455 bytes that a packet has at most, less topic, other properties and what the broker may add. */
const messageBytesMax = 268_000_000;

/** Throws MQTT_TOPIC_NAME_INVALID or MESSAGE_INVALID. */
export function checkApplicationMessage(message: ApplicationMessage, topicLevelsMax: number): void {
  const { topic } = message;
  if (!isString(topic) || !isValidTopicName(topic, topicLevelsMax)) {
    const shown = String(topic).slice(0, 100);
    throw new TstackError("MQTT_TOPIC_NAME_INVALID", `"${shown}" is no topic name`);
  }
  const fault = findFaultyProperty(message.properties) ?? findFault(message);
  if (fault === undefined) return;
  throw new TstackError("MESSAGE_INVALID", `a message to "${topic.slice(0, 100)}": ${fault}`);
}

function findFault({ qos, payload, properties }: ApplicationMessage): string | undefined {
  if (![0, 1, 2].includes(qos)) return "the QoS is not 0, 1 or 2";
  let bytes = payload.length;
  for (const [name, value] of properties.userProperties ?? []) {
    bytes += 5 + Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  if (bytes > messageBytesMax)
    return `payload and user properties have more than ${messageBytesMax} bytes`;
  return undefined;
}

/** Only of those that go along with a message: the others are the broker's to set. */
function findFaultyProperty(properties: Properties): string | undefined {
  const { payloadFormatIndicator: format, messageExpiryInterval: seconds } = properties;
  const { contentType, responseTopic, correlationData, userProperties } = properties;
  if (format !== undefined && ![0, 1].includes(format)) {
    return "payloadFormatIndicator is not 0 or 1";
  }
  if (seconds !== undefined && !(Number.isInteger(seconds) && seconds >= 0 && seconds <= uint32Max))
    return `messageExpiryInterval is no whole number of seconds from 0 to ${uint32Max}`;
  if (contentType !== undefined && !isString(contentType)) return `contentType is ${noString}`;
  if (responseTopic !== undefined && !isTopicName(responseTopic))
    return "responseTopic is no topic name"; // [MQTT-3.3.2-14]
  if (correlationData !== undefined && !isBinary(correlationData))
    return `correlationData is no Uint8Array of at most ${stringBytesMax} bytes`;
  if (userProperties !== undefined && !userProperties.every(isStringPair))
    return `userProperties has a name or a value that is ${noString}`;
  return undefined;
}

const noString = `no string of at most ${stringBytesMax} bytes, without U+0000 and half surrogate pairs`;

/** What the standard calls a UTF-8 Encoded String [MQTT-1.5.4-1], [MQTT-1.5.4-2]. */
function isString(value: unknown): value is string {
  if (typeof value !== "string" || value.length > stringBytesMax) return false;
  if (!value.isWellFormed() || value.includes("\0")) return false;
  return Buffer.byteLength(value) <= stringBytesMax;
}

function isTopicName(value: unknown): boolean {
  return isString(value) && isValidTopicName(value, Number.POSITIVE_INFINITY);
}

function isBinary(value: unknown): boolean {
  return value instanceof Uint8Array && value.length <= stringBytesMax;
}

function isStringPair(pair: readonly unknown[]): boolean {
  return pair.length === 2 && pair.every(isString);
}
