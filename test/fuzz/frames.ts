/** The parts of one packet that a mutation takes apart and puts together again, also where they make no sense. */
import { PacketType } from "../../src/codec/index.ts";

export interface FrameParts {
  readonly first: number;
  readonly body: Buffer;
}

/** Header and body; what cannot be told apart is body. */
export function splitFrame(packet: Buffer): FrameParts {
  let offset = 1;
  while (offset < Math.min(packet.length, 4) && packet[offset] >= 0x80) offset++;
  return { first: packet[0] ?? 0, body: packet.subarray(Math.min(offset + 1, packet.length)) };
}

/** A packet whose Remaining Length is that of `body`. */
export function joinFrame(first: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([first]), variableByteInteger(body.length), body]);
}

/** `extraBytes` more than the fewest it needs, which 5.0 does not allow. */
export function variableByteInteger(value: number, extraBytes = 0): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push(rest & 0x7f);
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  for (let extra = 0; extra < extraBytes; extra++) bytes.push(0);
  return Buffer.from(bytes.map((byte, index) => (index < bytes.length - 1 ? byte | 0x80 : byte)));
}

/** Where the Packet Identifier stands in the body; -1 where there is none. */
export function identifierOffset({ first, body }: FrameParts): number {
  const type = first >> 4;
  if (type === PacketType.publish) {
    const offset = 2 + (body.length >= 2 ? body.readUInt16BE(0) : 0);
    return (first & 6) > 0 && offset + 2 <= body.length ? offset : -1;
  }
  const hasIdentifier = type >= PacketType.puback && type <= PacketType.unsuback;
  return hasIdentifier && body.length >= 2 ? 0 : -1;
}

/** Where the Property Length of a 5.0 packet stands in the body; -1 where there can be none. */
export function propertiesOffset(parts: FrameParts): number {
  const offset = offsetByType(parts);
  return offset >= 0 && offset < parts.body.length ? offset : -1;
}

function offsetByType({ first, body }: FrameParts): number {
  switch (first >> 4) {
    case PacketType.connect:
      return body.length >= 2 ? 2 + body.readUInt16BE(0) + 4 : -1;
    case PacketType.publish:
      return (body.length >= 2 ? 2 + body.readUInt16BE(0) : 0) + ((first & 6) > 0 ? 2 : 0);
    case PacketType.subscribe:
    case PacketType.unsubscribe:
      return 2;
    case PacketType.puback:
    case PacketType.pubrec:
    case PacketType.pubrel:
    case PacketType.pubcomp:
      return 3;
    case PacketType.disconnect:
    case PacketType.auth:
      return 1;
    default:
      return -1;
  }
}
