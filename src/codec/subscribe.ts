/** SUBSCRIBE (5.0, section 3.8): one or more topic filters, each with its options. */
import { malformed, protocolError } from "../base/index.ts";
import { type ByteReader, ByteWriter } from "./bytes.ts";
import {
  PacketType,
  ProtocolVersion,
  type QoS,
  type SubscribePacket,
  type SubscriptionRequest,
} from "./packets.ts";
import { readProperties, writeProperties } from "./properties.ts";
import { checkFlags, readPacketIdentifier } from "./reserved.ts";

const headerFlags = 2;
const option = { qos: 0x03, noLocal: 0x04, retainAsPublished: 0x08, reserved: 0xc0 };
const retainHandlingShift = 4;

export function decodeSubscribe(
  reader: ByteReader,
  flags: number,
  version: ProtocolVersion,
): SubscribePacket {
  checkFlags(flags, headerFlags, version); // [MQTT-3.8.1-1], 3.1.1: [MQTT-3.8.1-1]
  const packetIdentifier = readPacketIdentifier(reader);
  const isV5 = version === ProtocolVersion.v5;
  const properties = isV5 ? readProperties(reader, PacketType.subscribe) : {};
  if (reader.remaining === 0) throw protocolError("SUBSCRIBE names no topic filter"); // [MQTT-3.8.3-2], 3.1.1: [MQTT-3.8.3-3]
  const subscriptions: SubscriptionRequest[] = [];
  while (reader.remaining > 0) {
    const filter = reader.readString(); // [MQTT-3.8.3-1], 3.1.1: [MQTT-3.8.3-1]
    subscriptions.push(readOptions(filter, reader.readUint8(), version));
  }
  return { type: PacketType.subscribe, packetIdentifier, subscriptions, properties };
}

export function encodeSubscribe(packet: SubscribePacket, version: ProtocolVersion): Buffer {
  const writer = new ByteWriter();
  writer.writeUint16(packet.packetIdentifier);
  if (version === ProtocolVersion.v5) writeProperties(writer, packet.properties);
  for (const { filter, qos, noLocal, retainAsPublished, retainHandling } of packet.subscriptions) {
    writer.writeString(filter);
    writer.writeUint8(
      qos |
        (noLocal ? option.noLocal : 0) |
        (retainAsPublished ? option.retainAsPublished : 0) |
        (retainHandling << retainHandlingShift),
    );
  }
  return writer.toPacket(PacketType.subscribe, headerFlags);
}

function readOptions(
  filter: string,
  options: number,
  version: ProtocolVersion,
): SubscriptionRequest {
  if (version === ProtocolVersion.v5) return readOptionsOfV5(filter, options);
  const qos = options & option.qos;
  // 3.1 has no use for the upper bits, 3.1.1 wants them 0; neither has a QoS 3. 3.1.1: [MQTT-3.8.3-4]
  if (qos === 3 || (version === ProtocolVersion.v3_1_1 && options !== qos)) {
    throw malformed(`0x${options.toString(16)} is not a requested QoS`);
  }
  return { filter, qos: qos as QoS, noLocal: false, retainAsPublished: false, retainHandling: 0 };
}

function readOptionsOfV5(filter: string, options: number): SubscriptionRequest {
  const qos = options & option.qos;
  const retainHandling = (options >> retainHandlingShift) & 3;
  const noLocal = (options & option.noLocal) !== 0;
  if (options & option.reserved) throw malformed("a reserved subscription option is set"); // [MQTT-3.8.3-5]
  if (qos === 3) throw protocolError("the requested QoS is 3");
  if (retainHandling === 3) throw protocolError("the retain handling is 3");
  if (noLocal && filter.startsWith("$share/")) {
    throw protocolError("a shared subscription asks for no local"); // [MQTT-3.8.3-4]
  }
  return {
    filter,
    qos: qos as QoS,
    noLocal,
    retainAsPublished: (options & option.retainAsPublished) !== 0,
    retainHandling: retainHandling as 0 | 1 | 2,
  };
}
