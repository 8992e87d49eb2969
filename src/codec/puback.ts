/** PUBACK (5.0, section 3.4): the answer to a message of QoS 1. */
import { ReasonCode } from "../base/index.ts";
import {
  type AcknowledgementKind,
  decodeAcknowledgement,
  encodeAcknowledgement,
} from "./acknowledgement.ts";
import type { ByteReader } from "./bytes.ts";
import { PacketType, type ProtocolVersion, type PubackPacket } from "./packets.ts";

const puback: AcknowledgementKind<typeof PacketType.puback> = {
  type: PacketType.puback,
  flags: 0,
  // [MQTT-3.4.2-1]
  reasonCodes: new Set([
    ReasonCode.success,
    ReasonCode.noMatchingSubscribers,
    ReasonCode.unspecifiedError,
    ReasonCode.implementationSpecificError,
    ReasonCode.notAuthorized,
    ReasonCode.topicNameInvalid,
    ReasonCode.packetIdentifierInUse,
    ReasonCode.quotaExceeded,
    ReasonCode.payloadFormatInvalid,
  ]),
};

export function decodePuback(
  reader: ByteReader,
  flags: number,
  version: ProtocolVersion,
): PubackPacket {
  return decodeAcknowledgement(puback, reader, flags, version);
}

export function encodePuback(packet: PubackPacket, version: ProtocolVersion): Buffer {
  return encodeAcknowledgement(puback, packet, version);
}
