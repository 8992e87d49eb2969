/** PUBCOMP (5.0, section 3.7): the last answer to a message of QoS 2. */
import { ReasonCode } from "../base/index.ts";
import {
  type AcknowledgementKind,
  decodeAcknowledgement,
  encodeAcknowledgement,
} from "./acknowledgement.ts";
import type { ByteReader } from "./bytes.ts";
import { PacketType, type ProtocolVersion, type PubcompPacket } from "./packets.ts";

const pubcomp: AcknowledgementKind<typeof PacketType.pubcomp> = {
  type: PacketType.pubcomp,
  flags: 0,
  // [MQTT-3.7.2-1]
  reasonCodes: new Set([ReasonCode.success, ReasonCode.packetIdentifierNotFound]),
};

export function decodePubcomp(
  reader: ByteReader,
  flags: number,
  version: ProtocolVersion,
): PubcompPacket {
  return decodeAcknowledgement(pubcomp, reader, flags, version);
}

export function encodePubcomp(packet: PubcompPacket, version: ProtocolVersion): Buffer {
  return encodeAcknowledgement(pubcomp, packet, version);
}
