/** Packets with nothing special about them, but for what `fields` say. */
import {
  type ConnectPacket,
  PacketType,
  type ProtocolVersion,
  type PublishPacket,
  type SubscribePacket,
  type SubscriptionRequest,
} from "../../../src/codec/index.ts";

/** Clean start, no keep alive, the client identifier "raw". */
export function connectPacket(
  version: ProtocolVersion,
  fields: Partial<ConnectPacket> = {},
): ConnectPacket {
  return {
    type: PacketType.connect,
    protocolVersion: version,
    cleanStart: true,
    keepAliveSeconds: 0,
    clientIdentifier: "raw",
    properties: {},
    ...fields,
  };
}

/** QoS 0. For QoS 1 and 2 give a `packetIdentifier` along. */
export function publishPacket(
  topic: string,
  payload: string | Uint8Array,
  fields: Partial<Omit<PublishPacket, "topic" | "payload">> = {},
): PublishPacket {
  return {
    type: PacketType.publish,
    topic,
    payload: Buffer.from(payload),
    qos: 0,
    retain: false,
    dup: false,
    properties: {},
    ...fields,
  };
}

/** One filter, at QoS 2, with packet identifier 1. */
export function subscribePacket(
  filter: string,
  options: Partial<SubscriptionRequest> = {},
  fields: Partial<SubscribePacket> = {},
): SubscribePacket {
  return {
    type: PacketType.subscribe,
    packetIdentifier: 1,
    subscriptions: [
      { filter, qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 0, ...options },
    ],
    properties: {},
    ...fields,
  };
}
