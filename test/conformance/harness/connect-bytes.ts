/** CONNECT field by field, for what no well-meaning encoder writes. */
import { ProtocolVersion } from "../../../src/codec/index.ts";
import { fromHexadecimal } from "./raw-client.ts";

/** Every field in hexadecimal digits. */
export interface ConnectFields {
  readonly firstByte: string;
  readonly protocolName: string;
  readonly level: string;
  readonly flags: string;
  readonly keepAlive: string;
  /** With their length; only in 5.0. */
  readonly properties: string;
  readonly payload: string;
}

/** A clean start, no keep alive, the client identifier "raw", but for what `fields` say. */
export function connectBytes(
  version: ProtocolVersion,
  fields: Partial<ConnectFields> = {},
): Buffer {
  const isV5 = version === ProtocolVersion.v5;
  const body = fromHexadecimal(
    [
      fields.protocolName ?? field(version === ProtocolVersion.v3_1 ? "MQIsdp" : "MQTT"),
      fields.level ?? `0${version}`,
      fields.flags ?? "02",
      fields.keepAlive ?? "0000",
      fields.properties ?? (isV5 ? "00" : ""),
      fields.payload ?? field("raw"),
    ].join(""),
  );
  return packetBytes(fields.firstByte ?? "10", body);
}

/** A string or bytes with their two bytes of length, in hexadecimal digits. */
export function field(content: string | Uint8Array): string {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]).toString(
    "hex",
  );
}

/** A property length and the properties, which are hexadecimal digits with their identifiers. */
export function propertyBytes(...properties: string[]): string {
  const bytes = fromHexadecimal(properties.join(""));
  return Buffer.concat([remainingLength(bytes.length), bytes]).toString("hex");
}

/** A first byte, the body's length, the body. */
export function packetBytes(firstByte: string, body: string | Uint8Array): Buffer {
  const bytes = typeof body === "string" ? fromHexadecimal(body) : body;
  return Buffer.concat([fromHexadecimal(firstByte), remainingLength(bytes.length), bytes]);
}

function remainingLength(length: number): Buffer {
  const bytes: number[] = [];
  for (let rest = length; bytes.length === 0 || rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
  }
  return Buffer.from(bytes);
}
