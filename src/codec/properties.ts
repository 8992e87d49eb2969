/**
 * The properties of MQTT 5.0 (section 2.2.2), all in one table: which there are, of what type, and where each may stand.
 * Reading and writing follow the table alone.
 */
import { malformed, protocolError } from "../base/index.ts";
import { type ByteReader, ByteWriter } from "./bytes.ts";
import { PacketType, type Properties } from "./packets.ts";
import { checkResponseTopic, topicAliasOfZero } from "./topic-name.ts";

/** Where properties stand: in a packet, or in front of the will within CONNECT. */
export type PropertyOwner = PacketType | "will";

type PropertyType =
  | "byte"
  | "boolean"
  | "uint16"
  | "uint32"
  | "variableByteInteger"
  | "string"
  | "topicName"
  | "binary"
  | "stringPair";

interface PropertyDefinition {
  readonly identifier: number;
  readonly name: keyof Properties;
  readonly type: PropertyType;
  readonly allowedIn: readonly PropertyOwner[];
  /** Where it may stand more than once; its value in `Properties` is then an array everywhere. */
  readonly repeatsIn?: readonly PropertyOwner[];
  /** The numbers allowed, where they are fewer than the type has. */
  readonly minimum?: number;
  readonly maximum?: number;
}

const { connect, connack, publish, puback, pubrec, pubrel, pubcomp } = PacketType;
const { subscribe, suback, unsubscribe, unsuback, disconnect, auth } = PacketType;
const messages = [publish, "will"] as const;
const handshake = [connect, connack] as const;
const authentication = [...handshake, auth] as const;
const answers = [puback, pubrec, pubrel, pubcomp, suback, unsuback] as const;
const explained = [connack, ...answers, disconnect, auth] as const;
const everywhere = [connect, ...messages, subscribe, unsubscribe, ...explained] as const;
const flag = { type: "boolean", maximum: 1 } as const;

// biome-ignore format: a table, one property a line
const propertyTable: readonly PropertyDefinition[] = [
  { identifier: 0x01, name: "payloadFormatIndicator", type: "byte", maximum: 1, allowedIn: messages },
  { identifier: 0x02, name: "messageExpiryInterval", type: "uint32", allowedIn: messages },
  { identifier: 0x03, name: "contentType", type: "string", allowedIn: messages },
  { identifier: 0x08, name: "responseTopic", type: "topicName", allowedIn: messages },
  { identifier: 0x09, name: "correlationData", type: "binary", allowedIn: messages },
  { identifier: 0x0b, name: "subscriptionIdentifiers", type: "variableByteInteger", minimum: 1, allowedIn: [publish, subscribe], repeatsIn: [publish] },
  { identifier: 0x11, name: "sessionExpiryInterval", type: "uint32", allowedIn: [...handshake, disconnect] },
  { identifier: 0x12, name: "assignedClientIdentifier", type: "string", allowedIn: [connack] },
  { identifier: 0x13, name: "serverKeepAlive", type: "uint16", allowedIn: [connack] },
  { identifier: 0x15, name: "authenticationMethod", type: "string", allowedIn: authentication },
  { identifier: 0x16, name: "authenticationData", type: "binary", allowedIn: authentication },
  { identifier: 0x17, name: "requestProblemInformation", ...flag, allowedIn: [connect] },
  { identifier: 0x18, name: "willDelayInterval", type: "uint32", allowedIn: ["will"] },
  { identifier: 0x19, name: "requestResponseInformation", ...flag, allowedIn: [connect] },
  { identifier: 0x1a, name: "responseInformation", type: "string", allowedIn: [connack] },
  { identifier: 0x1c, name: "serverReference", type: "string", allowedIn: [connack, disconnect] },
  { identifier: 0x1f, name: "reasonString", type: "string", allowedIn: explained },
  { identifier: 0x21, name: "receiveMaximum", type: "uint16", minimum: 1, allowedIn: handshake },
  { identifier: 0x22, name: "topicAliasMaximum", type: "uint16", allowedIn: handshake },
  { identifier: 0x23, name: "topicAlias", type: "uint16", minimum: 1, allowedIn: [publish] },
  { identifier: 0x24, name: "maximumQos", type: "byte", maximum: 1, allowedIn: [connack] },
  { identifier: 0x25, name: "retainAvailable", ...flag, allowedIn: [connack] },
  { identifier: 0x26, name: "userProperties", type: "stringPair", allowedIn: everywhere, repeatsIn: everywhere },
  { identifier: 0x27, name: "maximumPacketSize", type: "uint32", minimum: 1, allowedIn: handshake },
  { identifier: 0x28, name: "wildcardSubscriptionAvailable", ...flag, allowedIn: [connack] },
  { identifier: 0x29, name: "subscriptionIdentifiersAvailable", ...flag, allowedIn: [connack] },
  { identifier: 0x2a, name: "sharedSubscriptionAvailable", ...flag, allowedIn: [connack] },
];

const definitionOf = new Map(propertyTable.map((row) => [row.identifier, row]));

/** A property's value, or one of its values where it may repeat. */
type PropertyValue = number | boolean | string | Uint8Array | [name: string, value: string];
/** `Properties` as the table sees it: any name, any type. */
type PropertyValues = Partial<Record<keyof Properties, PropertyValue | PropertyValue[]>>;

/** Reads a Property Length and the properties behind it. Byte values are views into the reader's buffer. */
export function readProperties(reader: ByteReader, owner: PropertyOwner): Properties {
  const section = reader.readSection(reader.readVariableByteInteger());
  const values: PropertyValues = {};
  while (section.remaining > 0) {
    const identifier = section.readVariableByteInteger();
    const definition = definitionOf.get(identifier);
    if (definition === undefined || !definition.allowedIn.includes(owner)) {
      throw malformed(`property 0x${identifier.toString(16)} does not belong there`);
    }
    addValue(values, definition, { owner, value: readValue(section, definition) });
  }
  return values as Properties;
}

/** Writes the Property Length, 0 where there are none [MQTT-2.2.2-1], and the properties in the table's order. */
export function writeProperties(writer: ByteWriter, properties: Properties): void {
  const section = new ByteWriter();
  for (const definition of propertyTable) {
    const value = properties[definition.name] as PropertyValue | PropertyValue[] | undefined;
    if (value === undefined) continue;
    const values = definition.repeatsIn === undefined ? [value] : value;
    for (const single of values as PropertyValue[]) {
      section.writeVariableByteInteger(definition.identifier);
      writeValue(section, definition.type, single);
    }
  }
  writer.writeVariableByteInteger(section.length);
  writer.writeBytes(section.toBytes());
}

function addValue(
  values: PropertyValues,
  { name, repeatsIn }: PropertyDefinition,
  { owner, value }: { owner: PropertyOwner; value: PropertyValue },
): void {
  const present = values[name];
  if (present === undefined) {
    values[name] = repeatsIn === undefined ? value : [value];
    return;
  }
  if (!repeatsIn?.includes(owner)) throw protocolError(`${name} stands there more than once`);
  (present as PropertyValue[]).push(value); // in the order in which they came [MQTT-3.1.3-10]
}

function readValue(reader: ByteReader, definition: PropertyDefinition): PropertyValue {
  switch (definition.type) {
    case "byte":
      return inRange(reader.readUint8(), definition);
    case "boolean":
      return inRange(reader.readUint8(), definition) === 1;
    case "uint16":
      return inRange(reader.readUint16(), definition);
    case "uint32":
      return inRange(reader.readUint32(), definition);
    case "variableByteInteger":
      return inRange(reader.readVariableByteInteger(), definition);
    case "string":
      return reader.readString();
    case "topicName":
      return readResponseTopic(reader);
    case "binary":
      return reader.readBinary();
    case "stringPair":
      return reader.readStringPair();
  }
}

function readResponseTopic(reader: ByteReader): string {
  const topic = reader.readString(); // [MQTT-3.3.2-13]
  checkResponseTopic(topic);
  return topic;
}

function inRange(
  value: number,
  { name, minimum = 0, maximum = value }: PropertyDefinition,
): number {
  if (value >= minimum && value <= maximum) return value;
  if (name === "topicAlias") throw topicAliasOfZero();
  throw protocolError(`${name} must not be ${value}`);
}

function writeValue(writer: ByteWriter, type: PropertyType, value: PropertyValue): void {
  switch (type) {
    case "byte":
    case "boolean":
      writer.writeUint8(Number(value));
      break;
    case "uint16":
      writer.writeUint16(value as number);
      break;
    case "uint32":
      writer.writeUint32(value as number);
      break;
    case "variableByteInteger":
      writer.writeVariableByteInteger(value as number);
      break;
    case "string":
    case "topicName":
      writer.writeString(value as string);
      break;
    case "binary":
      writer.writeBinary(value as Uint8Array);
      break;
    case "stringPair":
      for (const text of value as [string, string]) writer.writeString(text);
      break;
  }
}
