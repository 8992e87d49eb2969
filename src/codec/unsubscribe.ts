/** UNSUBSCRIBE (5.0, section 3.10): the topic filters that the client is done with. */
import { protocolError } from "../base/index.ts";
import { type ByteReader, ByteWriter } from "./bytes.ts";
import { PacketType, ProtocolVersion, type UnsubscribePacket } from "./packets.ts";
import { readProperties, writeProperties } from "./properties.ts";
import { checkFlags, readPacketIdentifier } from "./reserved.ts";

const headerFlags = 2;

export function decodeUnsubscribe(
  reader: ByteReader,
  flags: number,
  version: ProtocolVersion,
): UnsubscribePacket {
  checkFlags(flags, headerFlags, version); // [MQTT-3.10.1-1], 3.1.1: [MQTT-3.10.1-1]
  const packetIdentifier = readPacketIdentifier(reader);
  const isV5 = version === ProtocolVersion.v5;
  const properties = isV5 ? readProperties(reader, PacketType.unsubscribe) : {};
  if (reader.remaining === 0) throw protocolError("UNSUBSCRIBE names no topic filter"); // [MQTT-3.10.3-2], 3.1.1: [MQTT-3.10.3-2]
  const filters: string[] = [];
  while (reader.remaining > 0) filters.push(reader.readString()); // [MQTT-3.10.3-1], 3.1.1: [MQTT-3.10.3-1]
  return { type: PacketType.unsubscribe, packetIdentifier, filters, properties };
}

export function encodeUnsubscribe(packet: UnsubscribePacket, version: ProtocolVersion): Buffer {
  const writer = new ByteWriter();
  writer.writeUint16(packet.packetIdentifier);
  if (version === ProtocolVersion.v5) writeProperties(writer, packet.properties);
  for (const filter of packet.filters) writer.writeString(filter);
  return writer.toPacket(PacketType.unsubscribe, headerFlags);
}
