/** Packets as `mqload` sends them: 64 bytes of payload to `bench/one`, so 77 bytes each at QoS 0 and 79 at QoS 1. */
import {
  encodePacket,
  PacketType,
  type Properties,
  type ProtocolVersion,
} from "../../src/codec/index.ts";

export interface SampleOptions {
  readonly qos: 0 | 1;
  readonly version?: ProtocolVersion;
  readonly properties?: Properties;
}

export function encodeSample({ qos, version = 4, properties = {} }: SampleOptions): Buffer {
  return encodePacket(
    {
      type: PacketType.publish,
      topic: "bench/one",
      payload: Buffer.alloc(64, "x"),
      qos,
      retain: false,
      dup: false,
      properties,
      ...(qos === 0 ? {} : { packetIdentifier: 1 }),
    },
    version,
  );
}

/** `count` of them in one chunk, as one read of a socket brings them. */
export function encodeChunk(count: number, options: SampleOptions): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => encodeSample(options)));
}
