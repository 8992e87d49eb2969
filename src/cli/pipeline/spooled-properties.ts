/** The properties of a message as one text in its row of the spool; null where it has none, as most. */
import type { ConsumedMessage } from "../../readings/index.ts";

type Properties = Pick<
  ConsumedMessage,
  "contentType" | "responseTopic" | "correlationData" | "userProperties"
>;

export function writeProperties(message: ConsumedMessage): string | null {
  const { contentType, responseTopic, correlationData, userProperties } = message;
  if ((contentType ?? responseTopic ?? correlationData ?? userProperties) === undefined)
    return null;
  const correlation = correlationData?.toString("base64");
  return JSON.stringify({ contentType, responseTopic, correlation, userProperties });
}

export function readProperties(text: string | null): Properties {
  if (text === null) return {};
  const { correlation, ...properties } = JSON.parse(text);
  return correlation === undefined
    ? properties
    : { ...properties, correlationData: Buffer.from(correlation, "base64") };
}
