/**
 * Packets to bytes. The caller answers for what the packet says: a string too long for the standard is a bug.
 */
import { unreachable } from "../base/index.ts";
import { encodeAuth } from "./auth.ts";
import { encodeConnack } from "./connack.ts";
import { encodeConnect } from "./connect.ts";
import { encodeDisconnect } from "./disconnect.ts";
import {
  type AcknowledgementPacket,
  type AuthPacket,
  type ConnackPacket,
  type DisconnectPacket,
  type Packet,
  PacketType,
  ProtocolVersion,
  type SubackPacket,
  type UnsubackPacket,
} from "./packets.ts";
import { encodePing } from "./ping.ts";
import { encodePuback } from "./puback.ts";
import { encodePubcomp } from "./pubcomp.ts";
import { encodePublish } from "./publish.ts";
import { encodePubrec } from "./pubrec.ts";
import { encodePubrel } from "./pubrel.ts";
import { encodeSuback } from "./suback.ts";
import { encodeSubscribe } from "./subscribe.ts";
import { encodeUnsuback } from "./unsuback.ts";
import { encodeUnsubscribe } from "./unsubscribe.ts";

/** One whole packet as `version` writes it: 3.x leaves reason codes and properties away. CONNECT has its own version. */
export function encodePacket(packet: Packet, version: ProtocolVersion): Buffer {
  switch (packet.type) {
    case PacketType.connect:
      return encodeConnect(packet);
    case PacketType.connack:
      return encodeConnack(packet, version);
    case PacketType.publish:
      return encodePublish(packet, version);
    case PacketType.puback:
      return encodePuback(packet, version);
    case PacketType.pubrec:
      return encodePubrec(packet, version);
    case PacketType.pubrel:
      return encodePubrel(packet, version);
    case PacketType.pubcomp:
      return encodePubcomp(packet, version);
    case PacketType.subscribe:
      return encodeSubscribe(packet, version);
    case PacketType.suback:
      return encodeSuback(packet, version);
    case PacketType.unsubscribe:
      return encodeUnsubscribe(packet, version);
    case PacketType.unsuback:
      return encodeUnsuback(packet, version);
    case PacketType.pingreq:
    case PacketType.pingresp:
      return encodePing(packet);
    case PacketType.disconnect:
      return encodeDisconnect(packet, version);
    case PacketType.auth:
      return encodeAuth(packet, version);
    default:
      return unreachable(packet);
  }
}

/**
 * The packet within the peer's Maximum Packet Size [MQTT-3.1.2-24]. Where it is too large it goes without its Reason
 * String, then without its User Properties; null where that is not enough, or where it is a packet that has to keep them.
 */
export function encodeWithin(
  packet: Packet,
  version: ProtocolVersion,
  maximumBytes: number,
): Buffer | null {
  const whole = encodePacket(packet, version);
  if (whole.length <= maximumBytes) return whole;
  if (version !== ProtocolVersion.v5 || !mayBeShortened(packet)) return null;
  const { reasonString: _reason, ...withoutReason } = packet.properties;
  const shorter = encodePacket({ ...packet, properties: withoutReason }, version);
  if (shorter.length <= maximumBytes) return shorter;
  const { userProperties: _user, ...bare } = withoutReason;
  const shortest = encodePacket({ ...packet, properties: bare }, version);
  return shortest.length <= maximumBytes ? shortest : null;
}

type ShortenablePacket =
  | ConnackPacket
  | AcknowledgementPacket
  | SubackPacket
  | UnsubackPacket
  | DisconnectPacket
  | AuthPacket;

/** The packets whose Reason String and User Properties the standard lets the sender leave away. */
function mayBeShortened(packet: Packet): packet is ShortenablePacket {
  switch (packet.type) {
    case PacketType.connack: // [MQTT-3.2.2-19] [MQTT-3.2.2-20]
    case PacketType.puback: // [MQTT-3.4.2-2] [MQTT-3.4.2-3]
    case PacketType.pubrec: // [MQTT-3.5.2-2] [MQTT-3.5.2-3]
    case PacketType.pubrel: // [MQTT-3.6.2-2] [MQTT-3.6.2-3]
    case PacketType.pubcomp: // [MQTT-3.7.2-2] [MQTT-3.7.2-3]
    case PacketType.suback: // [MQTT-3.9.2-1] [MQTT-3.9.2-2]
    case PacketType.unsuback: // [MQTT-3.11.2-1] [MQTT-3.11.2-2]
    case PacketType.disconnect: // [MQTT-3.14.2-3] [MQTT-3.14.2-4]
    case PacketType.auth: // [MQTT-3.15.2-2] [MQTT-3.15.2-3]
      return true;
    default:
      return false;
  }
}
