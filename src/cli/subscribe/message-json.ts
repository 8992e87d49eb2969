/** A message as one JSON object, for `%j` and `%J`, with the members that mosquitto_sub gives it. */
import type { PublishPacket } from "../client/index.ts";
import { zoneOffset } from "./strftime.ts";

const two = (value: number) => String(value).padStart(2, "0");

/** `2016-08-10T09:47:38+0100`, local time; `fraction` goes between seconds and zone. */
export function isoTime(time: Date, fraction = ""): string {
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return `${day}T${clock}${fraction}${zoneOffset(time)}`;
}

/** `%j`: the payload as a text; null where it is empty. */
export function quotedJson(packet: PublishPacket, time: Date, pretty: boolean): string {
  const payload = packet.payload.length === 0 ? "null" : JSON.stringify(packet.payload.toString());
  return assemble(packet, time, { payload, pretty });
}

/** `%J`: the payload as the JSON that it is, its numbers as they were written; undefined where it is none. */
export function plainJson(packet: PublishPacket, time: Date, pretty: boolean): string | undefined {
  if (packet.payload.length === 0) return assemble(packet, time, { payload: "null", pretty });
  const text = packet.payload.toString();
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  // Outside of its texts JSON may hold line ends, and inside it cannot: one message stays one line.
  return assemble(packet, time, { payload: text.trim().replace(/[\r\n]+/g, " "), pretty });
}

function assemble(
  packet: PublishPacket,
  time: Date,
  { payload, pretty }: { readonly payload: string; readonly pretty: boolean },
): string {
  const members: Record<string, unknown> = {
    tst: isoTime(time, `.${String(time.getMilliseconds()).padStart(3, "0")}000`),
    topic: packet.topic,
    qos: packet.qos,
    retain: Number(packet.retain),
    payloadlen: packet.payload.length,
  };
  if (packet.qos > 0) members.mid = packet.messageId;
  const properties = describeProperties(packet);
  if (properties !== undefined) members.properties = properties;
  const head = pretty ? JSON.stringify(members, undefined, 2) : JSON.stringify(members);
  return pretty
    ? `${head.slice(0, -2)},\n  "payload": ${payload}\n}`
    : `${head.slice(0, -1)},"payload":${payload}}`;
}

function describeProperties(packet: PublishPacket): Record<string, unknown> | undefined {
  const properties = packet.properties;
  if (properties === undefined || Object.keys(properties).length === 0) return undefined;
  return {
    "user-properties": properties.userProperties,
    "content-type": properties.contentType,
    "response-topic": properties.responseTopic,
    "correlation-data": properties.correlationData?.toString(),
    "payload-format-indicator":
      properties.payloadFormatIndicator === undefined
        ? undefined
        : Number(properties.payloadFormatIndicator),
    "message-expiry-interval": properties.messageExpiryInterval,
    "subscription-identifier": properties.subscriptionIdentifier,
    "topic-alias": properties.topicAlias,
  };
}
