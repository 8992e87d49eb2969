/** PUBREL (5.0, section 3.6): the sender of a message of QoS 2 lets go of it. */
import { ReasonCode } from "../base/index.ts";
import {
  type AcknowledgementKind,
  decodeAcknowledgement,
  encodeAcknowledgement,
} from "./acknowledgement.ts";
import type { ByteReader } from "./bytes.ts";
import { PacketType, type ProtocolVersion, type PubrelPacket } from "./packets.ts";

const pubrel: AcknowledgementKind<typeof PacketType.pubrel> = {
  type: PacketType.pubrel,
  flags: 2, // [MQTT-3.6.1-1], 3.1.1: [MQTT-3.6.1-1]
  // [MQTT-3.6.2-1]
  reasonCodes: new Set([ReasonCode.success, ReasonCode.packetIdentifierNotFound]),
};

export function decodePubrel(
  reader: ByteReader,
  flags: number,
  version: ProtocolVersion,
): PubrelPacket {
  return decodeAcknowledgement(pubrel, reader, flags, version);
}

export function encodePubrel(packet: PubrelPacket, version: ProtocolVersion): Buffer {
  return encodeAcknowledgement(pubrel, packet, version);
}
