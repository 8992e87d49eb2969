/** DISCONNECT (5.0, section 3.14): in 3.x only from the client and empty, in 5.0 from either side and with a reason. */
import { ReasonCode } from "../base/index.ts";
import { writeReason } from "./acknowledgement.ts";
import { type ByteReader, ByteWriter } from "./bytes.ts";
import { type DisconnectPacket, PacketType, type Properties, ProtocolVersion } from "./packets.ts";
import { readProperties } from "./properties.ts";
import { checkEnd, checkFlags, readReasonCode } from "./reserved.ts";

const reasonCodes: ReadonlySet<ReasonCode> = new Set([
  ReasonCode.normalDisconnection,
  ReasonCode.disconnectWithWillMessage,
  ReasonCode.unspecifiedError,
  ReasonCode.malformedPacket,
  ReasonCode.protocolError,
  ReasonCode.implementationSpecificError,
  ReasonCode.notAuthorized,
  ReasonCode.serverBusy,
  ReasonCode.serverShuttingDown,
  ReasonCode.badAuthenticationMethod,
  ReasonCode.keepAliveTimeout,
  ReasonCode.sessionTakenOver,
  ReasonCode.topicFilterInvalid,
  ReasonCode.topicNameInvalid,
  ReasonCode.receiveMaximumExceeded,
  ReasonCode.topicAliasInvalid,
  ReasonCode.packetTooLarge,
  ReasonCode.messageRateTooHigh,
  ReasonCode.quotaExceeded,
  ReasonCode.administrativeAction,
  ReasonCode.payloadFormatInvalid,
  ReasonCode.retainNotSupported,
  ReasonCode.qosNotSupported,
  ReasonCode.useAnotherServer,
  ReasonCode.serverMoved,
  ReasonCode.sharedSubscriptionsNotSupported,
  ReasonCode.connectionRateExceeded,
  ReasonCode.maximumConnectTime,
  ReasonCode.subscriptionIdentifiersNotSupported,
  ReasonCode.wildcardSubscriptionsNotSupported,
]);

/** What a client that failed is told: `reasonCode`, or that it is not authorized where DISCONNECT has no such failure. */
export function toDisconnectFailure(reasonCode: ReasonCode): ReasonCode {
  const isFailure = reasonCode >= 0x80 && reasonCodes.has(reasonCode);
  return isFailure ? reasonCode : ReasonCode.notAuthorized; // [MQTT-3.14.2-1]
}

export function decodeDisconnect(
  reader: ByteReader,
  flags: number,
  version: ProtocolVersion,
): DisconnectPacket {
  checkFlags(flags, 0, version); // [MQTT-3.14.1-1], 3.1.1: [MQTT-3.14.1-1]
  let reasonCode: ReasonCode = ReasonCode.normalDisconnection;
  let properties: Properties = {};
  if (version === ProtocolVersion.v5 && reader.remaining > 0) {
    reasonCode = readReasonCode(reader, reasonCodes); // [MQTT-3.14.2-1]
    if (reader.remaining > 0) properties = readProperties(reader, PacketType.disconnect);
  }
  checkEnd(reader);
  return { type: PacketType.disconnect, reasonCode, properties };
}

export function encodeDisconnect(packet: DisconnectPacket, version: ProtocolVersion): Buffer {
  const writer = new ByteWriter();
  if (version === ProtocolVersion.v5) writeReason(writer, packet.reasonCode, packet.properties);
  return writer.toPacket(PacketType.disconnect);
}
