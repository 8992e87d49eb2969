/**
 * The properties of a stored message as names and values, in the order in which they stand in its bytes. Properties that
 * cannot be written so that they come back byte for byte stay bytes.
 */
import { z } from "zod";
import {
  ByteReader,
  ByteWriter,
  PacketType,
  type Properties,
  readProperties,
  writeProperties,
} from "../../codec/index.ts";
import { bytesShape, readBytes, writeBytes } from "./record-values.ts";

/** The PUBLISH properties that a client may give a message. */
const valueShapes = {
  payloadFormatIndicator: z.literal([0, 1]),
  messageExpiryInterval: z.int().min(0).max(4_294_967_295),
  contentType: z.string(),
  responseTopic: z.string(),
  correlationData: bytesShape.transform(readBytes),
  userProperties: z.array(z.tuple([z.string(), z.string()])).min(1),
} as const;

type PropertyName = keyof typeof valueShapes;

/** Names and values, or the bytes with the place of the Message Expiry Interval's value in them (-1: none). */
export const propertiesShape = z.union([
  z.strictObject({ base64: z.base64(), expiryOffset: z.int().min(-1) }),
  z.record(z.string(), z.unknown()),
]);
type PropertiesRecord = z.output<typeof propertiesShape>;

/** The encoded properties without their length, as a `StoredMessage` holds them. */
export interface PropertyBytes {
  readonly bytes: Buffer;
  /** Where the value of the Message Expiry Interval begins in `bytes`; -1 for none. */
  readonly expiryOffset: number;
}

/** Undefined where there are none. */
export function writePropertyRecord(properties: PropertyBytes): PropertiesRecord | undefined {
  if (properties.bytes.length === 0) return undefined;
  return (
    writeNames(properties) ?? {
      base64: properties.bytes.toString("base64"),
      expiryOffset: properties.expiryOffset,
    }
  );
}

/** Throws what is wrong with a record that somebody wrote by hand. */
export function readPropertyRecord(record: PropertiesRecord | undefined): PropertyBytes {
  if (record === undefined) return { bytes: Buffer.alloc(0), expiryOffset: -1 };
  if (typeof record.base64 === "string") {
    const bytes = Buffer.from(record.base64, "base64");
    return { bytes, expiryOffset: Number(record.expiryOffset) };
  }
  const encoded = encode(record);
  decode(encoded.bytes); // what the standard forbids, as a wildcard in a response topic
  return encoded;
}

function writeNames(properties: PropertyBytes): Record<string, unknown> | undefined {
  try {
    const record = Object.fromEntries(
      Object.entries(decode(properties.bytes)).map(([name, value]) => [
        name,
        value instanceof Uint8Array ? writeBytes(value) : value,
      ]),
    );
    const { bytes, expiryOffset } = encode(record);
    const isSame = bytes.equals(properties.bytes) && expiryOffset === properties.expiryOffset;
    return isSame ? record : undefined;
  } catch {
    return undefined; // they are told as bytes
  }
}

/** Their names come in the order in which they stand there. */
function decode(bytes: Buffer): Properties {
  const writer = new ByteWriter(bytes.length + 4);
  writer.writeVariableByteInteger(bytes.length);
  writer.writeBytes(bytes);
  return readProperties(new ByteReader(writer.toBytes()), PacketType.publish);
}

function encode(record: Readonly<Record<string, unknown>>): PropertyBytes {
  const parts: Buffer[] = [];
  let length = 0;
  let expiryOffset = -1;
  for (const [name, value] of Object.entries(record)) {
    if (!Object.hasOwn(valueShapes, name)) throw new Error(`there is no property ${name}`);
    const parsed = valueShapes[name as PropertyName].safeParse(value);
    if (!parsed.success) throw new Error(`${name}: ${parsed.error.issues[0].message}`);
    const part = encodeOne({ [name]: parsed.data });
    if (name === "messageExpiryInterval") expiryOffset = length + 1; // behind its identifier
    parts.push(part);
    length += part.length;
  }
  return { bytes: Buffer.concat(parts), expiryOffset };
}

/** Each by itself, since the codec has an order of its own. */
function encodeOne(properties: Properties): Buffer {
  const writer = new ByteWriter();
  writeProperties(writer, properties);
  const reader = new ByteReader(writer.toBytes());
  return reader.readBytes(reader.readVariableByteInteger());
}
