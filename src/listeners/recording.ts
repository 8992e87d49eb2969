/**
 * The broker's side for the tests of listeners: an acceptor that records what each connection told it,
 * and waits that end. A test may replace `onReceive`, for example to echo.
 */
import assert from "node:assert/strict";
import { type EventEmitter, once } from "node:events";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { Log } from "../base/index.ts";
import type { Transport, TransportAcceptor, TransportSink } from "../broker/ports.ts";
import { type Listener, type ListenOptions, listen } from "./index.ts";

const waitMillisecondsMax = 8000;

export class RecordedConnection implements TransportSink {
  readonly transport: Transport;
  readonly chunks: Buffer[] = [];
  /** Where the bytes were lent. */
  readonly memory = new Set<ArrayBufferLike>();
  readonly causes: (Error | undefined)[] = [];
  drainedCount = 0;
  pendingBytesWhenDrained = 0;
  onReceive: (bytes: Buffer) => void = () => {};
  constructor(transport: Transport) {
    this.transport = transport;
  }

  get received(): Buffer {
    return Buffer.concat(this.chunks);
  }

  /** The bytes are only lent. */
  receive(bytes: Buffer): void {
    assert.equal(this.causes.length, 0, "nothing is received after closed");
    const copy = Buffer.from(bytes);
    this.memory.add(bytes.buffer);
    this.chunks.push(copy);
    this.onReceive(copy);
  }

  drained(): void {
    assert.equal(this.causes.length, 0, "nothing is drained after closed");
    this.drainedCount += 1;
    this.pendingBytesWhenDrained = Math.max(
      this.pendingBytesWhenDrained,
      this.transport.pendingBytes,
    );
  }

  closed(cause?: Error): void {
    this.causes.push(cause);
  }
}

export class RecordingAcceptor implements TransportAcceptor {
  readonly connections: RecordedConnection[] = [];
  onAccept: (connection: RecordedConnection) => void = () => {};

  accept(transport: Transport): TransportSink {
    const connection = new RecordedConnection(transport);
    this.connections.push(connection);
    this.onAccept(connection);
    return connection;
  }
}

/** A log whose lines are there to be read: `warn what happened {"why":"so"}`. */
export class RecordedLog implements Log {
  readonly lines: string[] = [];

  debug(fields: object, message: string): void {
    this.#write("debug", fields, message);
  }

  info(fields: object, message: string): void {
    this.#write("info", fields, message);
  }

  warn(fields: object, message: string): void {
    this.#write("warn", fields, message);
  }

  error(fields: object, message: string): void {
    this.#write("error", fields, message);
  }

  /** All but those for `debug`. */
  get told(): string[] {
    return this.lines.filter((line) => !line.startsWith("debug"));
  }

  #write(level: keyof Log, fields: object, message: string): void {
    this.lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  }
}

/** A listener that is closed with the test, and everything that it accepted with it. */
export async function listenForTest(
  context: TestContext,
  url: string,
  options: ListenOptions = {},
): Promise<{ listener: Listener; acceptor: RecordingAcceptor }> {
  const acceptor = new RecordingAcceptor();
  const listener = await listen(url, acceptor, options);
  context.after(async () => {
    await listener.close();
    for (const { transport } of acceptor.connections) transport.destroy();
  });
  return { listener, acceptor };
}

/** A connected peer that is destroyed with the test. */
export async function connectPeer(context: TestContext, where: NetConnectOpts): Promise<Socket> {
  const peer = connect(where);
  context.after(() => peer.destroy());
  await nextEvent(peer, "connect");
  peer.on("error", () => peer.destroy());
  return peer;
}

export async function firstConnection(acceptor: RecordingAcceptor): Promise<RecordedConnection> {
  await until(() => acceptor.connections.length > 0, "a connection");
  return acceptor.connections[0];
}

export function portOf(listener: Listener): number {
  return Number(/:(\d+)\/?[^:/]*$/.exec(listener.url)?.[1]);
}

/** The arguments of an event, awaited for a bounded time. */
export async function nextEvent(emitter: EventEmitter, name: string): Promise<unknown[]> {
  return once(emitter, name, { signal: AbortSignal.timeout(waitMillisecondsMax) });
}

/** Waits for a condition, for a bounded time. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + waitMillisecondsMax;
  while (!condition()) {
    assert.ok(performance.now() < deadline, `waited too long for ${what}`);
    await setTimeout(2);
  }
}

/** Bytes that differ everywhere, so that a lost or swapped piece shows. */
export function countedBytes(length: number, first = 0): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32BE(first + at, at);
  return bytes;
}

/** Everything that the peer gets until the other side closes. */
export async function readAll(peer: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of peer) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
