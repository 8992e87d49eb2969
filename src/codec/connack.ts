/** CONNACK (5.0, section 3.2): whether the client is in, and what the server grants it. */
import { assert, ConnectReturnCode, malformed, protocolError, ReasonCode } from "../base/index.ts";
import { type ByteReader, ByteWriter } from "./bytes.ts";
import { type ConnackPacket, PacketType, ProtocolVersion } from "./packets.ts";
import { readProperties, writeProperties } from "./properties.ts";
import { checkEnd, checkFlags, readReasonCode } from "./reserved.ts";

const returnCodes: ReadonlySet<number> = new Set(Object.values(ConnectReturnCode));
const reasonCodes: ReadonlySet<number> = new Set([
  ReasonCode.success,
  ReasonCode.unspecifiedError,
  ReasonCode.malformedPacket,
  ReasonCode.protocolError,
  ReasonCode.implementationSpecificError,
  ReasonCode.unsupportedProtocolVersion,
  ReasonCode.clientIdentifierNotValid,
  ReasonCode.badUserNameOrPassword,
  ReasonCode.notAuthorized,
  ReasonCode.serverUnavailable,
  ReasonCode.serverBusy,
  ReasonCode.banned,
  ReasonCode.badAuthenticationMethod,
  ReasonCode.topicNameInvalid,
  ReasonCode.packetTooLarge,
  ReasonCode.quotaExceeded,
  ReasonCode.payloadFormatInvalid,
  ReasonCode.retainNotSupported,
  ReasonCode.qosNotSupported,
  ReasonCode.useAnotherServer,
  ReasonCode.serverMoved,
  ReasonCode.connectionRateExceeded,
]);

export function decodeConnack(
  reader: ByteReader,
  flags: number,
  version: ProtocolVersion,
): ConnackPacket {
  checkFlags(flags, 0, version);
  const isV5 = version === ProtocolVersion.v5;
  const sessionPresent = readSessionPresent(reader, version);
  const reasonCode = readReasonCode(reader, isV5 ? reasonCodes : returnCodes); // [MQTT-3.2.2-8]
  if (sessionPresent && reasonCode !== 0) {
    throw protocolError("a refused client is told of a session"); // [MQTT-3.2.2-6]
  }
  const properties = isV5 ? readProperties(reader, PacketType.connack) : {};
  checkEnd(reader);
  return { type: PacketType.connack, sessionPresent, reasonCode, properties };
}

export function encodeConnack(packet: ConnackPacket, version: ProtocolVersion): Buffer {
  const { sessionPresent, reasonCode, properties } = packet;
  assert(!sessionPresent || reasonCode === 0, "a refused client is told of no session"); // [MQTT-3.2.2-6]
  const writer = new ByteWriter();
  writer.writeUint8(sessionPresent && version !== ProtocolVersion.v3_1 ? 1 : 0); // [MQTT-3.2.2-1]
  writer.writeUint8(reasonCode);
  if (version === ProtocolVersion.v5) writeProperties(writer, properties);
  return writer.toPacket(PacketType.connack);
}

/** What a refused client is told: `reasonCode`, or that it is not authorized where CONNACK has no such failure. */
export function toConnackFailure(reasonCode: ReasonCode): ReasonCode {
  const isFailure = reasonCode !== ReasonCode.success && reasonCodes.has(reasonCode);
  return isFailure ? reasonCode : ReasonCode.notAuthorized; // [MQTT-3.2.2-8]
}

function readSessionPresent(reader: ByteReader, version: ProtocolVersion): boolean {
  const flags = reader.readUint8();
  if (version === ProtocolVersion.v3_1) return false; // the byte is unused there
  if (flags > 1) throw malformed("a reserved flag of CONNACK is set"); // [MQTT-3.2.2-1]
  return flags === 1;
}
