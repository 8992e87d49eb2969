/**
 * A broker that says what a test wants, byte by byte: refusals, limits and farewells that a real one
 * is hard to bring to. It understands the fixed header of what it is sent, and nothing else.
 */
import { once } from "node:events";
import net from "node:net";

export const packetType = {
  connect: 1,
  publish: 3,
  puback: 4,
  pubrel: 6,
  subscribe: 8,
  pingreq: 12,
  disconnect: 14,
} as const;

interface Received {
  readonly type: number;
  readonly body: Buffer;
  /** How many connections there have been, this one included. */
  readonly connection: number;
}

/** Answers with bytes, with nothing, or by closing. */
type Script = (packet: Received) => readonly number[] | "close" | undefined;

export class ScriptedBroker {
  readonly port: number;
  readonly received: Received[] = [];
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  #connections = 0;

  private constructor(server: net.Server, script: Script) {
    this.port = (server.address() as net.AddressInfo).port;
    this.#server = server;
    server.on("connection", (socket) => this.#serve(socket, script));
  }

  /** With `allowHalfOpen` it does not close its side when the client has closed the other. */
  static async start(script: Script, options: net.ServerOpts = {}): Promise<ScriptedBroker> {
    const server = net.createServer(options).listen(0, "127.0.0.1");
    await once(server, "listening");
    return new ScriptedBroker(server, script);
  }

  get connections(): number {
    return this.#connections;
  }

  #serve(socket: net.Socket, script: Script): void {
    this.#connections += 1;
    const connection = this.#connections;
    this.#sockets.add(socket);
    socket.on("error", () => undefined); // a client that is killed resets
    let pending = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      for (let frame = takeFrame(pending); frame !== undefined; frame = takeFrame(pending)) {
        pending = pending.subarray(frame.bytes);
        const packet = { type: frame.type, body: frame.body, connection };
        this.received.push(packet);
        const answer = script(packet);
        if (answer === "close") socket.end();
        else if (answer !== undefined) socket.write(Buffer.from(answer));
      }
    });
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

function takeFrame(bytes: Buffer): { type: number; body: Buffer; bytes: number } | undefined {
  let length = 0;
  for (let index = 1; index < Math.min(bytes.length, 5); index += 1) {
    length |= (bytes[index] & 0x7f) << (7 * (index - 1));
    if ((bytes[index] & 0x80) !== 0) continue;
    const end = index + 1 + length;
    if (bytes.length < end) return undefined;
    return { type: bytes[0] >> 4, body: bytes.subarray(index + 1, end), bytes: end };
  }
  return undefined;
}

/** A text of the standard: two bytes of length, and UTF-8. */
export function text(content: string): number[] {
  const bytes = Buffer.from(content);
  return [bytes.length >> 8, bytes.length & 0xff, ...bytes];
}

/** A packet out of its first byte and the parts of its body, of less than 128 bytes together. */
export function packet(first: number, ...parts: (number | number[])[]): number[] {
  const body = parts.flat();
  return [first, body.length, ...body];
}

/** CONNACK of MQTT 5 with properties. */
export function connack5(code: number, ...properties: (number | number[])[]): number[] {
  const bytes = properties.flat();
  return packet(0x20, 0, code, bytes.length, bytes);
}

export const connack = packet(0x20, 0, 0);
