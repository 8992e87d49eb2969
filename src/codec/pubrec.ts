/** PUBREC (5.0, section 3.5): the first answer to a message of QoS 2. */
import { ReasonCode } from "../base/index.ts";
import {
  type AcknowledgementKind,
  decodeAcknowledgement,
  encodeAcknowledgement,
} from "./acknowledgement.ts";
import type { ByteReader } from "./bytes.ts";
import { PacketType, type ProtocolVersion, type PubrecPacket } from "./packets.ts";

const pubrec: AcknowledgementKind<typeof PacketType.pubrec> = {
  type: PacketType.pubrec,
  flags: 0,
  // [MQTT-3.5.2-1]
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

export function decodePubrec(
  reader: ByteReader,
  flags: number,
  version: ProtocolVersion,
): PubrecPacket {
  return decodeAcknowledgement(pubrec, reader, flags, version);
}

export function encodePubrec(packet: PubrecPacket, version: ProtocolVersion): Buffer {
  return encodeAcknowledgement(pubrec, packet, version);
}
