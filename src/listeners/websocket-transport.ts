/**
 * A `Transport` on a WebSocket. The bytes of binary messages are one stream, however packets and messages are cut
 * [MQTT-6.0.0-2], 3.1.1: [MQTT-6.0.0-2]; each `write` is one binary message. While paused nothing is received: messages
 * that had arrived in the same chunk are held, and no more than that chunk can be.
 */
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import type { ClientCertificate, Transport, TransportSink } from "../broker/ports.ts";
import { whenDrained } from "./drain.ts";
import type { ListenContext } from "./listener.ts";
import { free, type SocketNames } from "./socket-transport.ts";

/** A WebSocket and the socket below it. */
export interface WebSocketPair {
  readonly webSocket: WebSocket;
  readonly socket: Socket;
}

const normalClosure = 1000;
const unsupportedData = 1003;
/** Of a peer that sends single bytes, or pings and no message, chunks are left to the garbage collector. */
const unfinishedMax = 256;

export function acceptWebSocket(
  pair: WebSocketPair,
  names: SocketNames,
  context: ListenContext,
): void {
  const transport = new WebSocketTransport(pair, names);
  transport.sink = context.acceptor.accept(transport);
  pair.webSocket.on("message", (bytes, isBinary) => {
    if (isBinary)
      transport.receive(bytes as Buffer); // of the `binaryType` that is ws's default
    else transport.endWith(unsupportedData); // [MQTT-6.0.0-1], 3.1.1: [MQTT-6.0.0-1]
  });
  pair.webSocket.on("ping", () => transport.pinged());
  pair.socket.on("data", (chunk: Buffer) => transport.chunkRead(chunk)); // after `ws` has taken its messages out of it
  pair.webSocket.on("error", (error) => transport.fail(error));
  pair.webSocket.on("close", () => transport.finish());
}

class WebSocketTransport implements Transport {
  readonly remoteAddress: string;
  readonly listener: string;
  readonly clientCertificate: ClientCertificate | undefined;
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  #watched = false;
  #ended = false;
  #paused = false;
  #held: Buffer[] | undefined = undefined;
  #cause: Error | undefined = undefined;
  /** Chunks of the socket that may hold the beginning of a message; weakly, as that may not go on for long. */
  #unfinished: WeakRef<Buffer>[] = [];
  /** The last message that the broker got since the last chunk, and is done with. */
  #lastReceived: Buffer | undefined = undefined;
  /** The chunk holds the payload of a ping: `ws` has put that, uncopied, into the pong that it may still be writing. */
  #isPinged = false;
  /** Set as soon as the broker has given it, before any event of the socket. */
  sink: TransportSink | undefined = undefined;

  constructor({ webSocket, socket }: WebSocketPair, names: SocketNames) {
    this.remoteAddress = names.remoteAddress;
    this.listener = names.listener;
    this.clientCertificate = names.clientCertificate;
    this.#webSocket = webSocket;
    this.#socket = socket;
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Uint8Array): void {
    if (this.#ended || this.#webSocket.readyState !== WebSocket.OPEN) return;
    this.#webSocket.send(bytes); // [MQTT-6.0.0-1], 3.1.1: [MQTT-6.0.0-1]
    if (this.#socket.writableLength === 0 || this.#watched) return;
    this.#watched = true;
    whenDrained(this.#socket, () => {
      this.#watched = false;
      if (!this.#ended) this.sink?.drained();
    });
  }

  pause(): void {
    if (this.#ended) return;
    this.#paused = true;
    this.#webSocket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#held === undefined) this.#webSocket.resume();
    else queueMicrotask(() => this.#releaseHeld());
  }

  end(): void {
    this.endWith(normalClosure);
  }

  endWith(code: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#held = undefined;
    this.#webSocket.close(code); // with its own bounded wait, `closeTimeout`
    this.#webSocket.resume();
  }

  destroy(): void {
    this.#ended = true;
    this.#held = undefined;
    this.#webSocket.terminate();
  }

  receive(bytes: Buffer): void {
    if (this.#ended) return;
    if (!this.#paused && this.#held === undefined) {
      this.sink?.receive(bytes);
      this.#lastReceived = bytes;
      return;
    }
    this.#held ??= [];
    this.#held.push(bytes);
  }

  pinged(): void {
    this.#isPinged = true;
  }

  /**
   * `ws` has handed over what `chunk` completes: chunks before it are done with if it did complete a message, and
   * `chunk` is if the message ends with it. Their memory is given back at once: left to the garbage collector it costs
   * as much CPU as all else (docs/performance.md).
   */
  chunkRead(chunk: Buffer): void {
    const last = this.#lastReceived;
    const isPinged = this.#isPinged;
    this.#lastReceived = undefined;
    this.#isPinged = false;
    if (this.#held !== undefined) {
      this.#unfinished = []; // held messages are still in them
      return;
    }
    if (last !== undefined) for (const earlier of this.#unfinished) freeIfThere(earlier.deref());
    if (last !== undefined || this.#unfinished.length === unfinishedMax) this.#unfinished = [];
    if (isPinged) return;
    if (last?.buffer === chunk.buffer && endOf(last) === endOf(chunk)) free(chunk);
    else this.#unfinished.push(new WeakRef(chunk));
  }

  /** Hands over what came while it was paused, in order, until it is paused or ended again. */
  #releaseHeld(): void {
    while (!this.#paused && !this.#ended && this.#held !== undefined) {
      const bytes = this.#held.shift();
      if (this.#held.length === 0) this.#held = undefined;
      if (bytes !== undefined) this.sink?.receive(bytes);
    }
    if (!this.#paused && !this.#ended) this.#webSocket.resume();
  }

  /** `finish` always follows. */
  fail(cause: Error): void {
    this.#cause = cause;
  }

  /** The WebSocket is closed. What it brought before is the broker's, which is not reading just now. */
  finish(): void {
    this.#ended = true;
    const held = this.#held;
    this.#held = undefined;
    for (const bytes of held ?? []) this.sink?.receive(bytes);
    this.sink?.closed(this.#cause);
  }
}

function freeIfThere(bytes: Buffer | undefined): void {
  if (bytes !== undefined) free(bytes);
}

function endOf(bytes: Buffer): number {
  return bytes.byteOffset + bytes.byteLength;
}
