/**
 * CONNECT (5.0, section 3.1), the packet that says which version all others follow.
 * What a client may not ask for by the rules of its own version never leaves `decodeConnect`.
 */
import { malformed, protocolError, TstackError } from "../base/index.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import {
  type ConnectPacket,
  PacketType,
  type Properties,
  ProtocolVersion,
  type QoS,
  type WillMessage,
} from "./packets.ts";
import { readProperties, writeProperties } from "./properties.ts";
import { checkEnd, checkFlags } from "./reserved.ts";
import { checkTopicName } from "./topic-name.ts";

const flag = { cleanStart: 0x02, will: 0x04, willRetain: 0x20, password: 0x40, userName: 0x80 };
const reservedFlag = 0x01;
const willQosShift = 3;
/** mosquitto's bridges set it in the level to say what they are; refused, they come back without it. */
const bridgeBit = 0x80;

/** The client speaks MQTT, in a version that tStack does not know. */
export class UnsupportedVersionError extends TstackError {
  /** The protocol level as it came. */
  readonly level: number;

  constructor(level: number) {
    super("MQTT_UNSUPPORTED_VERSION", `protocol level ${level} is not MQTT 3.1, 3.1.1 or 5.0`);
    this.level = level;
  }

  /** The version whose CONNACK the client will understand [MQTT-3.1.2-2], 3.1.1: [MQTT-3.1.2-2]. */
  get answerVersion(): ProtocolVersion {
    const isLater = this.level > ProtocolVersion.v5 && (this.level & bridgeBit) === 0;
    return isLater ? ProtocolVersion.v5 : ProtocolVersion.v3_1_1;
  }
}

export function decodeConnect(reader: ByteReader, headerFlags: number): ConnectPacket {
  const protocolVersion = readProtocolVersion(reader);
  checkFlags(headerFlags, 0, protocolVersion);
  const flags = readConnectFlags(reader, protocolVersion);
  const isV5 = protocolVersion === ProtocolVersion.v5;
  const keepAliveSeconds = reader.readUint16();
  const properties = isV5 ? readProperties(reader, PacketType.connect) : {};
  checkAuthentication(properties);
  // The fields behind it in their order [MQTT-3.1.3-1], 3.1.1: [MQTT-3.1.3-1].
  const packet: ConnectPacket = {
    type: PacketType.connect,
    protocolVersion,
    cleanStart: (flags & flag.cleanStart) !== 0,
    keepAliveSeconds,
    clientIdentifier: reader.readString(), // [MQTT-3.1.3-3] [MQTT-3.1.3-4], 3.1.1: [MQTT-3.1.3-3] [MQTT-3.1.3-4]
    properties,
  };
  if (flags & flag.will) packet.will = readWill(reader, flags, protocolVersion); // [MQTT-3.1.2-9], 3.1.1: [MQTT-3.1.2-9]
  // MQTT 3.1 lets its forerunners set these flags and leave the fields away: the length decides there.
  const mayBeMissing = protocolVersion === ProtocolVersion.v3_1;
  if (flags & flag.userName && !(mayBeMissing && reader.remaining === 0)) {
    packet.userName = reader.readString(); // [MQTT-3.1.2-17] [MQTT-3.1.3-12], 3.1.1: [MQTT-3.1.2-19] [MQTT-3.1.3-11]
  }
  if (flags & flag.password && !(mayBeMissing && reader.remaining === 0)) {
    packet.password = reader.readBinary(); // [MQTT-3.1.2-19], 3.1.1: [MQTT-3.1.2-21]
  }
  checkEnd(reader); // [MQTT-3.1.2-16] [MQTT-3.1.2-18], 3.1.1: [MQTT-3.1.2-18] [MQTT-3.1.2-20]
  return packet;
}

export function encodeConnect(packet: ConnectPacket): Buffer {
  const { protocolVersion: version, will, userName, password } = packet;
  const writer = new ByteWriter();
  writer.writeString(version === ProtocolVersion.v3_1 ? "MQIsdp" : "MQTT");
  writer.writeUint8(version);
  writer.writeUint8(
    (packet.cleanStart ? flag.cleanStart : 0) |
      (will === undefined ? 0 : flag.will | (will.qos << willQosShift)) |
      (will?.retain ? flag.willRetain : 0) |
      (password === undefined ? 0 : flag.password) |
      (userName === undefined ? 0 : flag.userName),
  );
  writer.writeUint16(packet.keepAliveSeconds);
  if (version === ProtocolVersion.v5) writeProperties(writer, packet.properties);
  writer.writeString(packet.clientIdentifier); // [MQTT-3.1.3-1] for the order of the fields
  if (will !== undefined) {
    if (version === ProtocolVersion.v5) writeProperties(writer, will.properties);
    writer.writeString(will.topic);
    writer.writeBinary(will.payload);
  }
  if (userName !== undefined) writer.writeString(userName);
  if (password !== undefined) writer.writeBinary(password);
  return writer.toPacket(PacketType.connect);
}

/**
 * The version of a CONNECT whose rest may be broken, so that its sender can be answered in its own words;
 * undefined where the packet does not get that far. `start` and `end` as for `decodePacketBody`.
 */
export function findProtocolVersion(
  buffer: Buffer,
  start: number,
  end: number,
): ProtocolVersion | undefined {
  try {
    return readProtocolVersion(new ByteReader(buffer, start, end));
  } catch (error) {
    if (error instanceof TstackError) return undefined;
    throw error;
  }
}

function readProtocolVersion(reader: ByteReader): ProtocolVersion {
  const name = reader.readString();
  const level = reader.readUint8();
  // The standard leaves open whether a stranger is answered: with another name the level has no meaning, so no
  // form of CONNACK would be right, and the connection just ends [MQTT-3.1.2-1], 3.1.1: [MQTT-3.1.2-1].
  if (name !== "MQTT" && name !== "MQIsdp") throw malformed("the protocol name is not MQTT's");
  if (name === "MQIsdp" && level === ProtocolVersion.v3_1) return level;
  if (name === "MQTT" && (level === ProtocolVersion.v3_1_1 || level === ProtocolVersion.v5)) {
    return level;
  }
  throw new UnsupportedVersionError(level); // [MQTT-3.1.2-2], 3.1.1: [MQTT-3.1.2-2]
}

function readConnectFlags(reader: ByteReader, version: ProtocolVersion): number {
  const flags = reader.readUint8();
  if (willQos(flags) === 3) throw malformed("the will's QoS is 3"); // [MQTT-3.1.2-12], 3.1.1: [MQTT-3.1.2-14]
  if (version !== ProtocolVersion.v5 && flags & flag.password && !(flags & flag.userName)) {
    throw malformed("there is a password and no user name"); // 3.1.1: [MQTT-3.1.2-22]
  }
  if (version === ProtocolVersion.v3_1) return flags; // 3.1 disregards the rest
  if (flags & reservedFlag) throw malformed("the reserved connect flag is set"); // [MQTT-3.1.2-3], 3.1.1: [MQTT-3.1.2-3]
  // 3.1.1: [MQTT-3.1.2-11] [MQTT-3.1.2-13] [MQTT-3.1.2-15]
  if (!(flags & flag.will) && (willQos(flags) !== 0 || flags & flag.willRetain)) {
    throw malformed("there is no will, yet a QoS or retain flag for it"); // [MQTT-3.1.2-11] [MQTT-3.1.2-13]
  }
  return flags;
}

function readWill(reader: ByteReader, flags: number, version: ProtocolVersion): WillMessage {
  const properties = version === ProtocolVersion.v5 ? readProperties(reader, "will") : {};
  const topic = reader.readString(); // [MQTT-3.1.3-11], 3.1.1: [MQTT-3.1.3-10]
  checkTopicName(topic);
  return {
    topic,
    payload: reader.readBinary(),
    qos: willQos(flags) as QoS,
    retain: (flags & flag.willRetain) !== 0,
    properties,
  };
}

function willQos(flags: number): number {
  return (flags >> willQosShift) & 3;
}

/** 5.0, section 3.1.2.11.10. */
function checkAuthentication(properties: Properties): void {
  if (properties.authenticationData && properties.authenticationMethod === undefined) {
    throw protocolError("there is authentication data and no authentication method");
  }
}
