/** From the PUBLISH of MQTT.js to the message that the rest of the consumer knows. */
import type { ConsumedMessage } from "../../readings/index.ts";
import type { PublishPacket } from "../client/index.ts";

export function readMessage(packet: PublishPacket, arrivedAt: number): ConsumedMessage {
  const { topic, qos, retain, properties } = packet;
  const payload = packet.payload as Buffer; // a text only in packets that a program makes
  const message = { topic, payload, qos, retain, arrivedAt };
  if (properties === undefined) return message;
  const { contentType, responseTopic, correlationData, userProperties } = properties;
  return {
    ...message,
    contentType,
    responseTopic,
    correlationData,
    userProperties: userProperties && listProperties(userProperties),
  };
}

function listProperties(
  properties: Readonly<Record<string, string | readonly string[]>>,
): [name: string, value: string][] {
  return Object.entries(properties).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, value]),
  );
}
