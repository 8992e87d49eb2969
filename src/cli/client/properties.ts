/**
 * The properties of MQTT 5.0 as `-D packet name value` gives them: one table of what may stand where,
 * by the names of mosquitto. Each value is checked here, since MQTT.js ends the connection over one
 * that it cannot encode.
 */
import { UsageError } from "./failure.ts";

export type UserProperties = Record<string, string | string[]>;
export type PropertyValue = string | number | boolean | Buffer | UserProperties;
export type Properties = Record<string, PropertyValue>;
export type PropertyPacket =
  | "connect"
  | "publish"
  | "subscribe"
  | "unsubscribe"
  | "disconnect"
  | "will";
export type PropertiesByPacket = Partial<Record<PropertyPacket, Properties>>;

interface PropertyKind {
  /** The name that MQTT.js has for it. */
  readonly key: string;
  readonly kind: "text" | "binary" | "number" | "flag" | "pair";
  readonly minimum?: number;
  readonly maximum?: number;
  readonly packets: readonly PropertyPacket[];
}

const wordMax = 65_535;
const longMax = 4_294_967_295;

const propertyKinds: Readonly<Record<string, PropertyKind>> = {
  "authentication-data": { key: "authenticationData", kind: "binary", packets: ["connect"] },
  "authentication-method": { key: "authenticationMethod", kind: "text", packets: ["connect"] },
  "content-type": { key: "contentType", kind: "text", packets: ["publish", "will"] },
  "correlation-data": { key: "correlationData", kind: "binary", packets: ["publish", "will"] },
  "maximum-packet-size": {
    key: "maximumPacketSize",
    kind: "number",
    minimum: 1,
    maximum: longMax,
    packets: ["connect"],
  },
  "message-expiry-interval": {
    key: "messageExpiryInterval",
    kind: "number",
    maximum: longMax,
    packets: ["publish", "will"],
  },
  "payload-format-indicator": {
    key: "payloadFormatIndicator",
    kind: "flag",
    packets: ["publish", "will"],
  },
  "receive-maximum": {
    key: "receiveMaximum",
    kind: "number",
    minimum: 1,
    maximum: wordMax,
    packets: ["connect"],
  },
  "request-problem-information": {
    key: "requestProblemInformation",
    kind: "flag",
    packets: ["connect"],
  },
  "request-response-information": {
    key: "requestResponseInformation",
    kind: "flag",
    packets: ["connect"],
  },
  "response-topic": { key: "responseTopic", kind: "text", packets: ["publish", "will"] },
  "session-expiry-interval": {
    key: "sessionExpiryInterval",
    kind: "number",
    maximum: longMax,
    packets: ["connect", "disconnect"],
  },
  "subscription-identifier": {
    key: "subscriptionIdentifier",
    kind: "number",
    minimum: 1,
    maximum: 268_435_455,
    packets: ["subscribe"],
  },
  "topic-alias": {
    key: "topicAlias",
    kind: "number",
    minimum: 1,
    maximum: wordMax,
    packets: ["publish"],
  },
  "topic-alias-maximum": {
    key: "topicAliasMaximum",
    kind: "number",
    maximum: wordMax,
    packets: ["connect"],
  },
  "user-property": {
    key: "userProperties",
    kind: "pair",
    packets: ["connect", "publish", "subscribe", "unsubscribe", "disconnect", "will"],
  },
  "will-delay-interval": {
    key: "willDelayInterval",
    kind: "number",
    maximum: longMax,
    packets: ["will"],
  },
};

/** How many arguments `-D` takes: `packet name value`, or `packet user-property name value`. */
export function countPropertyArguments(name: string | undefined): number {
  return name === "user-property" ? 4 : 3;
}

/** Gathers every `-D`, each as the list of its arguments. */
export function parseProperties(declarations: readonly (readonly string[])[]): PropertiesByPacket {
  const result: PropertiesByPacket = {};
  for (const declaration of declarations) addProperty(result, declaration);
  return result;
}

function addProperty(result: PropertiesByPacket, declaration: readonly string[]): void {
  const [packetText, name, ...values] = declaration;
  const packet = packetText.toLowerCase() as PropertyPacket;
  const kind = propertyKinds[name];
  if (kind === undefined) {
    throw new UsageError(
      `-D ${packetText} ${name}: no such property; there are ${Object.keys(propertyKinds).join(", ")}`,
    );
  }
  if (!kind.packets.includes(packet)) {
    throw new UsageError(
      `-D ${packetText} ${name}: this property goes with ${kind.packets.join(", ")}`,
    );
  }
  result[packet] ??= {};
  const properties = result[packet];
  if (kind.kind === "pair") {
    properties[kind.key] = addUserProperty(properties[kind.key] as UserProperties, values);
  } else if (kind.key in properties) {
    throw new UsageError(`-D ${packetText} ${name}: this property may stand once only`);
  } else {
    properties[kind.key] = parseValue(name, kind, values[0]);
  }
}

function addUserProperty(
  properties: UserProperties | undefined,
  [name, value]: readonly string[],
): UserProperties {
  const result = properties ?? (Object.create(null) as UserProperties);
  const before = result[name];
  result[name] = before === undefined ? value : [before, value].flat();
  return result;
}

function parseValue(name: string, property: PropertyKind, text: string): PropertyValue {
  switch (property.kind) {
    case "text":
      return text;
    case "binary":
      return Buffer.from(text);
    case "flag":
      if (text !== "0" && text !== "1") throw new UsageError(`-D ${name} is 0 or 1, not ${text}`);
      return text === "1";
    default: {
      const value = Number(text);
      const { minimum = 0, maximum = longMax } = property;
      if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
        throw new UsageError(`-D ${name} is a number from ${minimum} to ${maximum}, not ${text}`);
      }
      return value;
    }
  }
}
