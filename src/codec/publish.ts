/**
 * PUBLISH (5.0, section 3.3) as an object. The way of a message through the broker does without it: see `publish-frame.ts`.
 */
import { malformed, protocolError } from "../base/index.ts";
import { type ByteReader, ByteWriter } from "./bytes.ts";
import {
  PacketType,
  type Properties,
  ProtocolVersion,
  type PublishPacket,
  type QoS,
} from "./packets.ts";
import { readProperties, writeProperties } from "./properties.ts";
import { readPacketIdentifier } from "./reserved.ts";
import { checkTopicName } from "./topic-name.ts";

const dupFlag = 0x08;
const retainFlag = 0x01;

/** The payload is a view into the reader's buffer. */
export function decodePublish(
  reader: ByteReader,
  flags: number,
  version: ProtocolVersion,
): PublishPacket {
  const qos = readQos(flags);
  const topic = reader.readString(); // [MQTT-3.3.2-1]
  const packetIdentifier = qos === 0 ? undefined : readPacketIdentifier(reader);
  const properties =
    version === ProtocolVersion.v5 ? readProperties(reader, PacketType.publish) : {};
  checkTopic(topic, properties, version);
  const packet: PublishPacket = {
    type: PacketType.publish,
    topic,
    payload: reader.readBytes(reader.remaining),
    qos,
    retain: (flags & retainFlag) !== 0,
    dup: (flags & dupFlag) !== 0,
    properties,
  };
  if (packetIdentifier !== undefined) packet.packetIdentifier = packetIdentifier;
  return packet;
}

export function encodePublish(packet: PublishPacket, version: ProtocolVersion): Buffer {
  const { topic, payload, qos, packetIdentifier = 0 } = packet;
  const writer = new ByteWriter(topic.length + payload.length + 64);
  writer.writeString(topic);
  if (qos > 0) writer.writeUint16(packetIdentifier);
  if (version === ProtocolVersion.v5) writeProperties(writer, packet.properties);
  writer.writeBytes(payload);
  const flags = (packet.dup ? dupFlag : 0) | (qos << 1) | (packet.retain ? retainFlag : 0);
  return writer.toPacket(PacketType.publish, flags);
}

function readQos(flags: number): QoS {
  const qos = (flags >> 1) & 3;
  if (qos === 3) throw malformed("the QoS is 3"); // [MQTT-3.3.1-4]
  if (qos === 0 && flags & dupFlag) throw malformed("DUP is set at QoS 0"); // [MQTT-3.3.1-2]
  return qos as QoS;
}

/** Only a topic alias may stand for a topic name (5.0, section 3.3.2.1). */
function checkTopic(topic: string, properties: Properties, version: ProtocolVersion): void {
  if (topic === "" && version === ProtocolVersion.v5) {
    if (properties.topicAlias !== undefined) return;
    throw protocolError("there is neither a topic name nor a topic alias");
  }
  checkTopicName(topic);
}
