/** What a transport of a test carries, as packets: for witnesses at either end of it. */
import {
  decodePacketBody,
  FrameReader,
  type Packet,
  type ProtocolVersion,
} from "../../src/codec/index.ts";

/** Who sees a packet, at one end or the other. */
export type PacketListener = (packet: Packet) => void;

/** Packets out of bytes that come in any pieces. */
export class PacketStream {
  readonly #reader = new FrameReader(Number.POSITIVE_INFINITY);
  readonly #version: ProtocolVersion;
  readonly #listener: PacketListener;

  constructor(version: ProtocolVersion, listener: PacketListener) {
    this.#version = version;
    this.#listener = listener;
  }

  read(bytes: Buffer): void {
    this.#reader.read(Buffer.from(bytes), {
      frame: (chunk, start, bodyStart, end) => {
        this.#listener(decodePacketBody(chunk[start], chunk, bodyStart, end, this.#version));
        return true;
      },
    });
  }
}
