/** tbench against a server that does not read for a while: what waits in its sockets leaves as it was, all of it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { test } from "node:test";
import { run } from "../../src/cli/tbench.ts";
import { FrameReader } from "../../src/codec/index.ts";
import { runInMemory } from "./memory-io.ts";
import { connack } from "./scripted-broker.ts";

const publisherCount = 3;
const messagesMax = 20_000;
/** More than the buffers of the operating system take of `messagesMax`. */
const payloadBytes = 1000;
const pauseMilliseconds = 500;

/** Of one connection: whose messages came, and their sequence numbers, as the mark of tbench says. */
class Witness {
  readonly publishers = new Set<number>();
  readonly sequences: number[] = [];
  readonly #reader = new FrameReader(1_000_000);
  readonly #socket: net.Socket;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on("error", () => undefined); // it is the end of the test that closes
    socket.on("data", (chunk) => this.#reader.read(chunk, this));
  }

  frame(bytes: Buffer, start: number, bodyStart: number, end: number): boolean {
    const type = bytes[start] >> 4;
    if (type === 1) {
      this.#socket.write(Buffer.from(connack));
      this.#socket.pause();
      setTimeout(() => this.#socket.resume(), pauseMilliseconds);
    } else if (type === 3) {
      const mark = bodyStart + 2 + bytes.readUInt16BE(bodyStart);
      assert.equal(end - mark, payloadBytes);
      this.publishers.add(bytes.readUInt32LE(mark + 12));
      this.sequences.push(bytes.readUInt32LE(mark + 16));
    } else if (type === 14) this.#socket.end();
    return true;
  }
}

test("what the sockets do not take at once is not written over by what other clients send", async () => {
  const witnesses: Witness[] = [];
  const server = net.createServer((socket) => witnesses.push(new Witness(socket)));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as net.AddressInfo;
  try {
    const size = ["-s", String(payloadBytes), "--messages", String(messagesMax)];
    const at = ["-h", "127.0.0.1", "-p", String(port), "-n", String(publisherCount)];
    const ended = await runInMemory(run, ["pub", ...at, ...size]);
    assert.deepEqual([ended.code, ended.stderr], [0, ""]);
  } finally {
    server.close();
  }
  const whole = Array.from({ length: messagesMax }, (_, sequence) => sequence);
  assert.equal(witnesses.length, publisherCount);
  for (const { publishers, sequences } of witnesses) {
    assert.equal(publishers.size, 1);
    assert.deepEqual(sequences, whole);
  }
});
