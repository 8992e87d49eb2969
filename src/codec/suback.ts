/** SUBACK (5.0, section 3.9): for each subscription asked for, the granted QoS or why there is none. */
import { protocolError, ReasonCode } from "../base/index.ts";
import { type ByteReader, ByteWriter } from "./bytes.ts";
import { PacketType, ProtocolVersion, type SubackPacket } from "./packets.ts";
import { readProperties, writeProperties } from "./properties.ts";
import { checkFlags, readPacketIdentifier, readReasonCode } from "./reserved.ts";

const failureOfV3 = 0x80;
const returnCodes: ReadonlySet<number> = new Set([0, 1, 2, failureOfV3]); // 3.1.1: [MQTT-3.9.3-2]
const reasonCodes: ReadonlySet<number> = new Set([
  ReasonCode.grantedQos0,
  ReasonCode.grantedQos1,
  ReasonCode.grantedQos2,
  ReasonCode.unspecifiedError,
  ReasonCode.implementationSpecificError,
  ReasonCode.notAuthorized,
  ReasonCode.topicFilterInvalid,
  ReasonCode.packetIdentifierInUse,
  ReasonCode.quotaExceeded,
  ReasonCode.sharedSubscriptionsNotSupported,
  ReasonCode.subscriptionIdentifiersNotSupported,
  ReasonCode.wildcardSubscriptionsNotSupported,
]);

export function decodeSuback(
  reader: ByteReader,
  flags: number,
  version: ProtocolVersion,
): SubackPacket {
  checkFlags(flags, 0, version);
  const isV5 = version === ProtocolVersion.v5;
  const allowed = isV5 ? reasonCodes : returnCodes;
  const packetIdentifier = readPacketIdentifier(reader);
  const properties = isV5 ? readProperties(reader, PacketType.suback) : {};
  if (reader.remaining === 0) throw protocolError("SUBACK answers no subscription");
  const codes: number[] = [];
  while (reader.remaining > 0) codes.push(readReasonCode(reader, allowed)); // [MQTT-3.9.3-2]
  return { type: PacketType.suback, packetIdentifier, reasonCodes: codes, properties };
}

/** Towards 3.x every failure is 0x80, the only one that those versions know. */
export function encodeSuback(packet: SubackPacket, version: ProtocolVersion): Buffer {
  const isV5 = version === ProtocolVersion.v5;
  const writer = new ByteWriter();
  writer.writeUint16(packet.packetIdentifier);
  if (isV5) writeProperties(writer, packet.properties);
  for (const code of packet.reasonCodes) {
    writer.writeUint8(isV5 ? code : Math.min(code, failureOfV3));
  }
  return writer.toPacket(PacketType.suback);
}
