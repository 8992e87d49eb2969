/**
 * Bytes to packets. Whatever the bytes are, the outcome is a packet or a `TstackError`; nothing outside of them is read,
 * and nothing is allocated for bytes that are not there.
 */
import { malformed } from "../base/index.ts";
import { decodeAuth } from "./auth.ts";
import { ByteReader } from "./bytes.ts";
import { decodeConnack } from "./connack.ts";
import { decodeConnect } from "./connect.ts";
import { decodeDisconnect } from "./disconnect.ts";
import { type Packet, PacketType, type ProtocolVersion } from "./packets.ts";
import { decodePingreq, decodePingresp } from "./ping.ts";
import { decodePuback } from "./puback.ts";
import { decodePubcomp } from "./pubcomp.ts";
import { decodePublish } from "./publish.ts";
import { decodePubrec } from "./pubrec.ts";
import { decodePubrel } from "./pubrel.ts";
import { decodeSuback } from "./suback.ts";
import { decodeSubscribe } from "./subscribe.ts";
import { decodeUnsuback } from "./unsuback.ts";
import { decodeUnsubscribe } from "./unsubscribe.ts";

/**
 * One whole packet, from its first byte to its last. Payloads and other binary values are views into `frame`.
 * CONNECT brings its own version along; for all others it is the connection's.
 */
export function decodePacket(frame: Buffer, version: ProtocolVersion): Packet {
  const reader = new ByteReader(frame);
  const header = reader.readUint8();
  const remainingLength = reader.readVariableByteInteger();
  if (remainingLength !== reader.remaining) {
    throw malformed(`a packet of ${remainingLength} bytes came with ${reader.remaining}`);
  }
  return decodeBody(header, reader, version);
}

/** The same for a packet whose first byte is `header` and whose bytes behind the Remaining Length are `start` to `end`. */
// biome-ignore lint/complexity/useMaxParams: the frame reader has these at hand, and an object per packet would cost
export function decodePacketBody(
  header: number,
  buffer: Buffer,
  start: number,
  end: number,
  version: ProtocolVersion,
): Packet {
  return decodeBody(header, new ByteReader(buffer, start, end), version);
}

function decodeBody(header: number, reader: ByteReader, version: ProtocolVersion): Packet {
  const flags = header & 0x0f;
  switch (header >> 4) {
    case PacketType.connect:
      return decodeConnect(reader, flags);
    case PacketType.connack:
      return decodeConnack(reader, flags, version);
    case PacketType.publish:
      return decodePublish(reader, flags, version);
    case PacketType.puback:
      return decodePuback(reader, flags, version);
    case PacketType.pubrec:
      return decodePubrec(reader, flags, version);
    case PacketType.pubrel:
      return decodePubrel(reader, flags, version);
    case PacketType.pubcomp:
      return decodePubcomp(reader, flags, version);
    case PacketType.subscribe:
      return decodeSubscribe(reader, flags, version);
    case PacketType.suback:
      return decodeSuback(reader, flags, version);
    case PacketType.unsubscribe:
      return decodeUnsubscribe(reader, flags, version);
    case PacketType.unsuback:
      return decodeUnsuback(reader, flags, version);
    case PacketType.pingreq:
      return decodePingreq(reader, flags, version);
    case PacketType.pingresp:
      return decodePingresp(reader, flags, version);
    case PacketType.disconnect:
      return decodeDisconnect(reader, flags, version);
    case PacketType.auth:
      return decodeAuth(reader, flags, version);
    default:
      throw malformed(`there is no packet of type ${header >> 4}`);
  }
}
