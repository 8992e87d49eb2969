/** PINGREQ and PINGRESP (5.0, sections 3.12 and 3.13): two bytes each, in every version. */
import { type ByteReader, ByteWriter } from "./bytes.ts";
import {
  PacketType,
  type PingreqPacket,
  type PingrespPacket,
  type ProtocolVersion,
} from "./packets.ts";
import { checkEnd, checkFlags } from "./reserved.ts";

export function decodePingreq(
  reader: ByteReader,
  flags: number,
  version: ProtocolVersion,
): PingreqPacket {
  checkFlags(flags, 0, version);
  checkEnd(reader);
  return { type: PacketType.pingreq };
}

export function decodePingresp(
  reader: ByteReader,
  flags: number,
  version: ProtocolVersion,
): PingrespPacket {
  checkFlags(flags, 0, version);
  checkEnd(reader);
  return { type: PacketType.pingresp };
}

export function encodePing(packet: PingreqPacket | PingrespPacket): Buffer {
  return new ByteWriter(0).toPacket(packet.type);
}
