/**
 * What PUBACK, PUBREC, PUBREL and PUBCOMP have in common: a packet identifier, in 5.0 a reason code and properties.
 * Reason code 0 without properties takes the short form of two bytes, the same in every version.
 */
import type { ReasonCode } from "../base/index.ts";
import { type ByteReader, ByteWriter } from "./bytes.ts";
import {
  type AcknowledgementPacket,
  type PacketType,
  type Properties,
  ProtocolVersion,
} from "./packets.ts";
import { readProperties, writeProperties } from "./properties.ts";
import { checkEnd, checkFlags, readPacketIdentifier, readReasonCode } from "./reserved.ts";

/** One of the four packets: its type, the flags of its first byte and the reason codes it may carry. */
export interface AcknowledgementKind<Type extends PacketType> {
  readonly type: Type;
  readonly flags: number;
  readonly reasonCodes: ReadonlySet<ReasonCode>;
}

interface Acknowledgement<Type extends PacketType> {
  type: Type;
  packetIdentifier: number;
  reasonCode: ReasonCode;
  properties: Properties;
}

export function decodeAcknowledgement<Type extends PacketType>(
  kind: AcknowledgementKind<Type>,
  reader: ByteReader,
  flags: number,
  version: ProtocolVersion,
): Acknowledgement<Type> {
  checkFlags(flags, kind.flags, version);
  const packetIdentifier = readPacketIdentifier(reader);
  let reasonCode: ReasonCode = 0;
  let properties: Properties = {};
  if (version === ProtocolVersion.v5 && reader.remaining > 0) {
    reasonCode = readReasonCode(reader, kind.reasonCodes);
    if (reader.remaining > 0) properties = readProperties(reader, kind.type);
  }
  checkEnd(reader);
  return { type: kind.type, packetIdentifier, reasonCode, properties };
}

export function encodeAcknowledgement(
  kind: AcknowledgementKind<PacketType>,
  packet: AcknowledgementPacket,
  version: ProtocolVersion,
): Buffer {
  const { packetIdentifier, reasonCode, properties } = packet;
  const writer = new ByteWriter(3);
  writer.writeUint16(packetIdentifier);
  if (version === ProtocolVersion.v5) writeReason(writer, reasonCode, properties);
  return writer.toPacket(kind.type, kind.flags);
}

/** A reason code and properties at the end of a packet, at their shortest; DISCONNECT ends like this as well. */
export function writeReason(writer: ByteWriter, reasonCode: number, properties: Properties): void {
  const hasProperties = Object.values(properties).some((value) => value !== undefined);
  if (reasonCode !== 0 || hasProperties) writer.writeUint8(reasonCode);
  if (hasProperties) writeProperties(writer, properties);
}
