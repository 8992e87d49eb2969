/** A raw client of the soak: a socket that says what it is told to, and sees packets come. Ends without a complaint. */
import { connect, type Socket } from "node:net";
import {
  decodePacketBody,
  encodePacket,
  FrameReader,
  type Packet,
  ProtocolVersion,
} from "../../../src/codec/index.ts";

const { v5 } = ProtocolVersion;

export class SoakSocket {
  readonly socket: Socket;
  readonly #reader = new FrameReader(Number.POSITIVE_INFINITY);
  onPacket: (packet: Packet) => void = () => undefined;
  #closed: (() => void) | undefined;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.setNoDelay(true);
    this.socket.on("error", () => undefined);
    this.socket.on("close", () => this.#closed?.());
    this.socket.on("data", (bytes) => {
      this.#reader.read(Buffer.from(bytes), {
        frame: (chunk, start, bodyStart, end) => {
          this.onPacket(decodePacketBody(chunk[start], chunk, bodyStart, end, v5));
          return true;
        },
      });
    });
  }

  send(...packets: Packet[]): boolean {
    return this.socket.write(Buffer.concat(packets.map((packet) => encodePacket(packet, v5))));
  }

  /** Resolves with the first packet that comes, undefined when the connection ends before. */
  ask(packet: Packet): Promise<Packet | undefined> {
    return new Promise((resolve) => {
      this.onPacket = resolve;
      this.#closed = () => resolve(undefined);
      this.send(packet);
    });
  }

  get isClosed(): boolean {
    return this.socket.destroyed;
  }

  destroy(): void {
    this.socket.destroy();
  }
}
