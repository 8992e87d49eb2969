/**
 * A `Transport` on a stream socket: TCP, TLS or Unix. Bytes pass in both directions without a copy, and a connection
 * costs two objects beyond Node's: the handlers are shared and find their transport through the socket.
 * After `end()` the peer's bytes are thrown away unread, so that its closing is seen and ours is not a reset.
 */
import type { Socket } from "node:net";
import type { ClientCertificate, Transport, TransportSink } from "../broker/ports.ts";
import { whenDrained } from "./drain.ts";
import type { ListenContext } from "./listener.ts";
import { SharedReads } from "./shared-reads.ts";

const transportOf = Symbol("transport");

interface OwnedSocket extends Socket {
  [transportOf]: SocketTransport;
}

export interface SocketNames {
  readonly remoteAddress: string;
  readonly listener: string;
  readonly clientCertificate?: ClientCertificate | undefined;
}

/** The reads of a listener whose sockets go through `acceptSocket`. */
export function newSharedReads(): SharedReads {
  return new SharedReads(receive as (this: Socket, bytes: Buffer) => void);
}

/** Hands the socket to the broker. One without TLS must allow half-open connections. */
export function acceptSocket(socket: Socket, names: SocketNames, context: ListenContext): void {
  const owned = socket as OwnedSocket;
  const transport = new SocketTransport(owned, names, context);
  owned[transportOf] = transport;
  transport.sink = context.acceptor.accept(transport);
  owned.on("data", onData).on("end", onEnd).on("error", onError).on("close", onClose);
  owned.resume();
}

class SocketTransport implements Transport {
  readonly remoteAddress: string;
  readonly listener: string;
  readonly clientCertificate: ClientCertificate | undefined;
  readonly #socket: OwnedSocket;
  readonly #endSecondsMax: number;
  #watched = false;
  #ended = false;
  #endTimer: NodeJS.Timeout | undefined = undefined;
  cause: Error | undefined = undefined;
  /** Set as soon as the broker has given it, before any event of the socket. */
  sink: TransportSink | undefined = undefined;

  constructor(socket: OwnedSocket, names: SocketNames, context: ListenContext) {
    this.remoteAddress = names.remoteAddress;
    this.listener = names.listener;
    this.clientCertificate = names.clientCertificate;
    this.#socket = socket;
    this.#endSecondsMax = context.limits.endSecondsMax;
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  get ended(): boolean {
    return this.#ended;
  }

  write(bytes: Uint8Array): void {
    if (this.#ended) return;
    this.#socket.write(bytes);
    if (this.#socket.writableLength === 0 || this.#watched) return;
    this.#watched = true;
    whenDrained(this.#socket, () => {
      this.#watched = false;
      if (!this.#ended) this.sink?.drained();
    });
  }

  pause(): void {
    if (!this.#ended) this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.end();
    this.#socket.resume();
    this.#endTimer = setTimeout(destroySocket, this.#endSecondsMax * 1000, this.#socket);
    this.#endTimer.unref();
  }

  destroy(): void {
    this.#ended = true;
    this.#socket.destroy();
  }

  finish(): void {
    this.#ended = true;
    clearTimeout(this.#endTimer);
    this.sink?.closed(this.cause);
  }
}

function destroySocket(socket: Socket): void {
  socket.destroy();
}

function receive(this: OwnedSocket, bytes: Buffer): void {
  const transport = this[transportOf];
  if (!transport.ended) transport.sink?.receive(bytes);
}

function onData(this: OwnedSocket, bytes: Buffer): void {
  receive.call(this, bytes);
  free(bytes);
}

/**
 * Gives the memory of a read back at once, where it is not shared. Node makes a buffer of 64 KB for each; left to the
 * garbage collector they cost a fifth of all CPU.
 */
export function free({ buffer, byteLength }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

/** The peer has closed: an MQTT connection is never used in one direction only. */
function onEnd(this: OwnedSocket): void {
  this[transportOf].end();
}

/** `close` always follows. */
function onError(this: OwnedSocket, error: Error): void {
  this[transportOf].cause = error;
}

function onClose(this: OwnedSocket): void {
  this[transportOf].finish();
}
