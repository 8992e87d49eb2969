/** UNSUBACK (5.0, section 3.11): in 5.0 with one reason code for each filter, in 3.x with nothing but the identifier. */
import { protocolError, ReasonCode } from "../base/index.ts";
import { type ByteReader, ByteWriter } from "./bytes.ts";
import { PacketType, ProtocolVersion, type UnsubackPacket } from "./packets.ts";
import { readProperties, writeProperties } from "./properties.ts";
import { checkEnd, checkFlags, readPacketIdentifier, readReasonCode } from "./reserved.ts";

const allowed: ReadonlySet<number> = new Set([
  ReasonCode.success,
  ReasonCode.noSubscriptionExisted,
  ReasonCode.unspecifiedError,
  ReasonCode.implementationSpecificError,
  ReasonCode.notAuthorized,
  ReasonCode.topicFilterInvalid,
  ReasonCode.packetIdentifierInUse,
]);

export function decodeUnsuback(
  reader: ByteReader,
  flags: number,
  version: ProtocolVersion,
): UnsubackPacket {
  checkFlags(flags, 0, version);
  const packetIdentifier = readPacketIdentifier(reader);
  if (version !== ProtocolVersion.v5) {
    checkEnd(reader);
    return { type: PacketType.unsuback, packetIdentifier, reasonCodes: [], properties: {} };
  }
  const properties = readProperties(reader, PacketType.unsuback);
  if (reader.remaining === 0) throw protocolError("UNSUBACK answers no topic filter");
  const reasonCodes: number[] = [];
  while (reader.remaining > 0) reasonCodes.push(readReasonCode(reader, allowed)); // [MQTT-3.11.3-2]
  return { type: PacketType.unsuback, packetIdentifier, reasonCodes, properties };
}

export function encodeUnsuback(packet: UnsubackPacket, version: ProtocolVersion): Buffer {
  const writer = new ByteWriter();
  writer.writeUint16(packet.packetIdentifier);
  if (version === ProtocolVersion.v5) {
    writeProperties(writer, packet.properties);
    for (const code of packet.reasonCodes) writer.writeUint8(code);
  }
  return writer.toPacket(PacketType.unsuback);
}
