/**
 * A WebSocket without a library: it sends exactly the frames it is given and says which frames came (RFC 6455, sections
 * 1.3 and 5.2). It answers nothing by itself, not even a ping. Every wait ends after `waitMilliseconds`.
 */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { frameLength } from "./raw-client.ts";

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
export type Opcode = (typeof Opcode)[keyof typeof Opcode];

export interface WebSocketFrame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly payload: Buffer;
}

const waitMilliseconds = 3000;
const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

export class RawWebSocket {
  /** What the server answered to the upgrade, from the status line to the empty line. */
  readonly answer: string;
  readonly #socket: Socket;
  #received: Buffer;
  /** What binary frames have brought and nobody has taken yet. */
  #stream = Buffer.alloc(0);

  private constructor(socket: Socket, answer: string, received: Buffer) {
    this.#socket = socket;
    this.answer = answer;
    this.#received = received;
    socket.on("data", (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
    });
  }

  /** `offered` is the value of `Sec-WebSocket-Protocol`; without it no subprotocol is offered. */
  static async open(url: string, offered?: string): Promise<RawWebSocket> {
    const { hostname, port, pathname } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    socket.on("error", () => socket.destroy());
    socket.write(
      `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
        `${offered === undefined ? "" : `Sec-WebSocket-Protocol: ${offered}\r\n`}\r\n`,
    );
    let received = Buffer.alloc(0);
    const collect = (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
    };
    socket.on("data", collect);
    await until(() => received.includes("\r\n\r\n") || socket.closed, "an answer to the upgrade");
    socket.off("data", collect);
    const end = received.indexOf("\r\n\r\n") + 4;
    return new RawWebSocket(socket, received.toString("latin1", 0, end), received.subarray(end));
  }

  get status(): number {
    return Number(this.answer.split(" ", 2)[1]);
  }

  get subprotocol(): string | undefined {
    return /^sec-websocket-protocol: *(.*)\r$/im.exec(this.answer)?.[1];
  }

  get isClosed(): boolean {
    return this.#socket.closed;
  }

  /** Frames in one write, each masked as a client's must be. */
  send(...frames: readonly Buffer[]): void {
    this.#socket.write(Buffer.concat(frames));
  }

  /** The next frame is taken, whatever it is. */
  async expectFrame(): Promise<WebSocketFrame> {
    await until(() => parseFrame(this.#received) !== undefined || this.isClosed, "a frame");
    const parsed = parseFrame(this.#received);
    assert.ok(parsed !== undefined, "the connection ended without another frame");
    this.#received = this.#received.subarray(parsed.end);
    return parsed.frame;
  }

  /** The next bytes of MQTT are these, and came in binary frames. */
  async expectBytes(expected: Uint8Array): Promise<void> {
    while (this.#stream.length < expected.length) await this.#readBinary();
    const actual = this.#stream.subarray(0, expected.length);
    assert.equal(actual.toString("hex"), Buffer.from(expected).toString("hex"));
    this.#stream = this.#stream.subarray(expected.length);
  }

  /** The next packet of MQTT, which came in binary frames. */
  async expectPacket(): Promise<Buffer> {
    while (frameLength(this.#stream) === undefined) await this.#readBinary();
    const packet = this.#stream.subarray(0, frameLength(this.#stream));
    this.#stream = this.#stream.subarray(packet.length);
    return packet;
  }

  async #readBinary(): Promise<void> {
    const { opcode, isFinal, payload } = await this.expectFrame();
    assert.deepEqual([opcode, isFinal], [Opcode.binary, true]);
    this.#stream = Buffer.concat([this.#stream, payload]);
  }

  /** The next frame closes with this code, nothing comes behind it, and the server ends the connection. */
  async expectClose(code: number): Promise<void> {
    const { opcode, payload } = await this.expectFrame();
    assert.equal(opcode, Opcode.close);
    assert.equal(payload.readUInt16BE(), code);
    this.send(frameBytes(Opcode.close, payload));
    await until(() => this.isClosed, "the end");
    assert.equal(this.#received.length, 0);
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** One frame of a client. */
export function frameBytes(opcode: Opcode, payload: Uint8Array, isFinal = true): Buffer {
  const { length } = payload;
  const lengthBytes =
    length < 126 ? [0x80 | length] : [0x80 | 126, (length >> 8) & 0xff, length & 0xff];
  assert.ok(length <= 0xffff, "longer frames are not needed here");
  const masked = Buffer.from(payload).map((byte, at) => byte ^ mask[at % 4]);
  return Buffer.concat([
    Buffer.from([(isFinal ? 0x80 : 0) | opcode, ...lengthBytes]),
    mask,
    masked,
  ]);
}

/** A frame of the server, which is not masked; undefined while it is not whole. */
function parseFrame(bytes: Buffer): { frame: WebSocketFrame; end: number } | undefined {
  if (bytes.length < 2) return undefined;
  assert.ok(bytes[1] < 0x80, "a server masks nothing");
  const headerBytes = bytes[1] === 127 ? 10 : bytes[1] === 126 ? 4 : 2;
  if (bytes.length < headerBytes) return undefined;
  const length =
    headerBytes === 2
      ? bytes[1]
      : headerBytes === 4
        ? bytes.readUInt16BE(2)
        : Number(bytes.readBigUInt64BE(2));
  const end = headerBytes + length;
  if (bytes.length < end) return undefined;
  const payload = bytes.subarray(headerBytes, end);
  return { frame: { opcode: bytes[0] & 0x0f, isFinal: bytes[0] >= 0x80, payload }, end };
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const giveUpAt = performance.now() + waitMilliseconds;
  while (!condition()) {
    assert.ok(performance.now() < giveUpAt, `expected ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
