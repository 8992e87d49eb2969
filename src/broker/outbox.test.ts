/**
 * Outboxes on transports that are busy on command. A transport may read what it was given until it has taken it: each
 * write is compared with a copy when it is taken, so that a slab used again too early is seen.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Clock } from "../base/index.ts";
import { Counters } from "./counters.ts";
import { copyBytesMax, Outbox } from "./outbox.ts";
import type { Transport } from "./ports.ts";
import { TickEnd } from "./tick-end.ts";

class BusyTransport implements Transport {
  readonly remoteAddress = "test";
  readonly listener = "test";
  isBusy = false;
  pendingBytes = 0;
  writes = 0;
  readonly taken: Buffer[] = [];
  onWrite: (() => void) | undefined;
  #waiting: { bytes: Uint8Array; copy: Buffer }[] = [];

  write(bytes: Uint8Array): void {
    assert.ok(bytes.length > 0, "an empty write");
    this.writes++;
    this.#waiting.push({ bytes, copy: Buffer.from(bytes) });
    this.pendingBytes += bytes.length;
    if (!this.isBusy) this.take();
    this.onWrite?.();
  }

  /** Takes all that waits, as it is now. */
  take(): void {
    for (const { bytes, copy } of this.#waiting) {
      assert.ok(copy.equals(bytes), "bytes were changed before the transport had taken them");
      this.taken.push(copy);
    }
    this.#waiting = [];
    this.pendingBytes = 0;
  }

  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

class ManualTicks implements Clock {
  readonly #callbacks: (() => void)[] = [];

  now(): number {
    return 0;
  }

  after(): () => void {
    throw new Error("no timers here");
  }

  atEndOfTick(callback: () => void): void {
    this.#callbacks.push(callback);
  }

  endTick(): void {
    for (const callback of this.#callbacks.splice(0)) callback();
  }
}

/** One outbox, its transport, and what must come out. */
class Line {
  readonly transport = new BusyTransport();
  readonly outbox: Outbox;
  readonly expected: Buffer[] = [];
  readonly #held: Buffer[] = [];

  constructor(tickEnd: TickEnd) {
    const fail = (error: unknown): void => {
      throw error;
    };
    this.outbox = new Outbox(this.transport, tickEnd, { outboxFlushed() {}, fail });
  }

  /** A part of a larger buffer, whose first and last bytes tell where it should have been cut. */
  append(length: number, fill: number, margin: number): void {
    const bytes = Buffer.alloc(length + 2 * margin, 0xee);
    bytes.fill(fill & 0xff, margin, margin + length);
    this.expected.push(Buffer.from(bytes.subarray(margin, margin + length)));
    this.outbox.append(bytes, margin, margin + length);
    this.#letGo(bytes, length);
  }

  appendWithIdentifier(length: number, identifier: number, margin: number): void {
    const bytes = Buffer.alloc(length + 2 * margin, 0xee);
    bytes.fill(length & 0xff, margin, margin + length);
    const identifierOffset = margin + (identifier % (length - 1));
    const expected = Buffer.from(bytes.subarray(margin, margin + length));
    expected.writeUInt16BE(identifier, identifierOffset - margin);
    this.expected.push(expected);
    const range = { start: margin, end: margin + length, identifierOffset };
    this.outbox.appendWithIdentifier(bytes, range, identifier);
    this.#letGo(bytes, 0);
  }

  appendAcknowledgement(identifier: number): void {
    this.expected.push(Buffer.from([0x40, 2, identifier >> 8, identifier & 0xff]));
    this.outbox.appendAcknowledgement(0x40, identifier);
  }

  /** What is small is copied, so the buffer may become anything; what is large must stay as it is. */
  #letGo(bytes: Buffer, length: number): void {
    if (length <= copyBytesMax) bytes.fill(0xff);
    else this.#held.push(bytes);
  }

  drain(): void {
    this.transport.isBusy = false;
    this.transport.take();
    this.outbox.flush();
  }

  check(): void {
    const expected = Buffer.concat(this.expected);
    const taken = Buffer.concat(this.transport.taken);
    assert.equal(taken.length, expected.length);
    assert.ok(taken.equals(expected), "the bytes that left are not those that came");
    assert.equal(this.outbox.bytes, 0);
  }
}

function newTickEnd(): { ticks: ManualTicks; tickEnd: TickEnd } {
  const ticks = new ManualTicks();
  return { ticks, tickEnd: new TickEnd(ticks, new Counters()) };
}

const step = fc.record({
  line: fc.nat(2),
  what: fc.constantFrom(
    "append",
    "append",
    "append",
    "identifier",
    "identifier",
    "acknowledgement",
    "tick",
    "busy",
    "drain",
    "hand over",
  ),
  length: fc.oneof(
    fc.integer({ min: 2, max: 300 }),
    fc.integer({ min: 2, max: 5000 }),
    fc.integer({ min: 2, max: 100_000 }),
    fc.constantFrom(2047, 2048, 2049, 65_535, 65_536, 65_537),
  ),
  number: fc.integer({ min: 1, max: 65_535 }),
});

test("what leaves is what came, in order and unchanged, however busy the transports are", () => {
  const property = fc.property(fc.array(step, { maxLength: 120, size: "max" }), (steps) => {
    const { ticks, tickEnd } = newTickEnd();
    const lines = [new Line(tickEnd), new Line(tickEnd), new Line(tickEnd)];
    for (const { line: index, what, length, number } of steps) {
      const line = lines[index];
      if (what === "append") line.append(length, number, number % 9);
      else if (what === "identifier") line.appendWithIdentifier(length, number, number % 9);
      else if (what === "acknowledgement") line.appendAcknowledgement(number);
      else if (what === "tick") ticks.endTick();
      else if (what === "busy") line.transport.isBusy = true;
      else if (what === "drain") line.drain();
      else line.outbox.handOver();
    }
    ticks.endTick();
    const all = lines.flatMap((line) => line.expected).reduce((sum, { length }) => sum + length, 0);
    assert.equal(tickEnd.counters.bytesSent, all);
    for (const line of lines) line.drain();
    for (const line of lines) line.check();
  });
  fc.assert(property, { numRuns: 200 });
});

test("everything of a tick leaves in one write while it fits one slab", () => {
  const { ticks, tickEnd } = newTickEnd();
  const line = new Line(tickEnd);
  for (let count = 0; count < 500; count++) line.append(100, count, 1);
  assert.equal(line.transport.writes, 0);
  ticks.endTick();
  assert.equal(line.transport.writes, 1);
  line.check();
});

test("while the transport is busy, bytes stay where the limits see them", () => {
  const { ticks, tickEnd } = newTickEnd();
  const line = new Line(tickEnd);
  line.transport.isBusy = true;
  line.append(10, 1, 0);
  ticks.endTick();
  assert.equal(line.transport.pendingBytes, 10);
  for (let count = 0; count < 50; count++) line.append(10_000, count, 3);
  ticks.endTick();
  assert.equal(line.outbox.bytes, 500_000);
  assert.equal(line.transport.pendingBytes, 10);
  line.drain();
  line.check();
});

test("what a write causes to be sent comes behind what was there", () => {
  const { ticks, tickEnd } = newTickEnd();
  const line = new Line(tickEnd);
  const { transport } = line;
  transport.isBusy = true;
  line.append(1, 0, 0);
  ticks.endTick();
  line.append(70_000, 1, 0);
  line.append(70_000, 2, 0);
  line.append(100, 3, 0);
  transport.onWrite = () => {
    transport.onWrite = undefined;
    line.append(70_000, 4, 0);
    line.append(5, 5, 0);
  };
  line.drain();
  ticks.endTick();
  line.check();
});

test("a closed outbox hands nothing over, and gives nothing back that is still being read", () => {
  const { ticks, tickEnd } = newTickEnd();
  const closing = new Line(tickEnd);
  const other = new Line(tickEnd);
  closing.transport.isBusy = true;
  closing.append(100, 1, 0);
  ticks.endTick();
  closing.append(100, 2, 0);
  closing.outbox.close();
  closing.append(100_000, 3, 0);
  closing.appendAcknowledgement(4);
  ticks.endTick();
  assert.equal(closing.transport.writes, 1);
  assert.equal(closing.outbox.bytes, 0);
  for (let count = 0; count < 100; count++) other.append(1000, count, 0);
  ticks.endTick();
  other.check();
  closing.transport.take();
  assert.equal(Buffer.concat(closing.transport.taken).toString("hex"), "01".repeat(100));
});

test("a write that closes the outbox is the last", () => {
  const { ticks, tickEnd } = newTickEnd();
  const line = new Line(tickEnd);
  line.transport.isBusy = true;
  line.append(1, 0, 0);
  ticks.endTick();
  for (const fill of [1, 2, 3]) line.append(70_000, fill, 0);
  line.transport.onWrite = () => line.outbox.close();
  line.drain();
  ticks.endTick();
  assert.equal(line.transport.writes, 2);
});
