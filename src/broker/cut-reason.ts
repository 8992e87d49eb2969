/** Reason strings are for people. One that quotes what a client sent could be longer than a string may be. */
import type { Packet } from "../codec/index.ts";

const reasonLengthMax = 256;
const mark = "...";

/** The packet with no more than the first 256 UTF-16 code units of its reason string. */
export function cutReason(packet: Packet): Packet {
  if (!("properties" in packet)) return packet;
  const { reasonString } = packet.properties;
  if (reasonString === undefined || reasonString.length <= reasonLengthMax) return packet;
  const start = reasonString.slice(0, reasonLengthMax - mark.length);
  const whole = start.isWellFormed() ? start : start.slice(0, -1); // not half a surrogate pair
  return { ...packet, properties: { ...packet.properties, reasonString: whole + mark } } as Packet;
}
