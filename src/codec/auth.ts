/** AUTH (5.0, section 3.15): one step of an enhanced authentication. Earlier versions reserve its type. */
import { assert, malformed, protocolError, ReasonCode } from "../base/index.ts";
import { type ByteReader, ByteWriter } from "./bytes.ts";
import { type AuthPacket, PacketType, ProtocolVersion } from "./packets.ts";
import { readProperties, writeProperties } from "./properties.ts";
import { checkEnd, checkFlags, readReasonCode } from "./reserved.ts";

const reasonCodes: ReadonlySet<ReasonCode> = new Set([
  ReasonCode.success,
  ReasonCode.continueAuthentication,
  ReasonCode.reAuthenticate,
]);

export function decodeAuth(
  reader: ByteReader,
  flags: number,
  version: ProtocolVersion,
): AuthPacket {
  if (version !== ProtocolVersion.v5) throw malformed("AUTH came on a connection that is not 5.0");
  checkFlags(flags, 0, version); // [MQTT-3.15.1-1]
  if (reader.remaining === 0) {
    return { type: PacketType.auth, reasonCode: ReasonCode.success, properties: {} };
  }
  const reasonCode = readReasonCode(reader, reasonCodes); // [MQTT-3.15.2-1]
  const properties = readProperties(reader, PacketType.auth); // its length may not be left away, unlike DISCONNECT's
  checkEnd(reader);
  if (properties.authenticationMethod === undefined) {
    throw protocolError("AUTH names no authentication method"); // 5.0, section 3.15.2.2.2
  }
  return { type: PacketType.auth, reasonCode, properties };
}

export function encodeAuth(packet: AuthPacket, version: ProtocolVersion): Buffer {
  assert(version === ProtocolVersion.v5, "only MQTT 5.0 has AUTH");
  const writer = new ByteWriter();
  if (packet.properties.authenticationMethod !== undefined) {
    writer.writeUint8(packet.reasonCode);
    writeProperties(writer, packet.properties);
  } else {
    assert(packet.reasonCode === ReasonCode.success, "AUTH names its authentication method");
  }
  return writer.toPacket(PacketType.auth);
}
