/** What the standard reserves and every packet checks alike: header flags, packet identifiers, the end of the packet. */
import { malformed, protocolError } from "../base/index.ts";
import type { ByteReader } from "./bytes.ts";
import { ProtocolVersion } from "./packets.ts";

/**
 * The flags in the first byte that are not PUBLISH's have one value each [MQTT-2.1.3-1], 3.1.1: [MQTT-2.2.2-2].
 * MQTT 3.1 calls them unused, and lets PUBREL, SUBSCRIBE and UNSUBSCRIBE carry DUP: there they say nothing.
 */
export function checkFlags(flags: number, expected: number, version: ProtocolVersion): void {
  if (flags !== expected && version !== ProtocolVersion.v3_1) {
    throw malformed(`the flags of the first byte are ${flags} where only ${expected} is allowed`);
  }
}

/**
 * A packet identifier of 0 can be parsed, so it is not a Malformed Packet but "data that is not allowed by the
 * protocol" (5.0, section 1.2): a Protocol Error [MQTT-2.2.1-3], 3.1.1: [MQTT-2.3.1-1].
 */
export function readPacketIdentifier(reader: ByteReader): number {
  const packetIdentifier = reader.readUint16();
  if (packetIdentifier === 0) throw protocolError("the packet identifier is 0");
  return packetIdentifier;
}

/** Reads a code that a packet of this kind may carry; any other is a Protocol Error, as it too can be parsed. */
export function readReasonCode<Code extends number>(
  reader: ByteReader,
  allowed: ReadonlySet<Code>,
): Code {
  const code = reader.readUint8();
  if (allowed.has(code as Code)) return code as Code;
  throw protocolError(`reason code 0x${code.toString(16)} does not belong there`);
}

/** Nothing may follow the last field of a packet. */
export function checkEnd(reader: ByteReader): void {
  if (reader.remaining > 0) {
    throw malformed(`${reader.remaining} bytes are left over at the end of the packet`);
  }
}
