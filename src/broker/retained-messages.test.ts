/** Retained messages against a map: replaced, deleted, expired, and never more than the limits say. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Clock, defaultLimits, silentLog } from "../base/index.ts";
import { Deadlines } from "./deadlines.ts";
import { Message } from "./message.ts";
import { RetainedMessages } from "./retained-messages.ts";

class ManualClock implements Clock {
  time = 1_000_000;
  readonly #timers = new Map<() => void, number>();

  now(): number {
    return this.time;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const ring = (): void => callback();
    this.#timers.set(ring, this.time + milliseconds);
    return () => this.#timers.delete(ring);
  }

  atEndOfTick(): void {
    throw new Error("no ticks here");
  }

  advance(milliseconds: number): void {
    this.time += milliseconds;
    for (const [ring, at] of this.#timers) {
      if (at <= this.time && this.#timers.delete(ring)) ring();
    }
  }
}

const limits = { ...defaultLimits, retainedMessagesMax: 4, retainedBytesMax: 1960 };

/** Topic, properties and payload, and what a message and the levels of its topic cost beside. */
function costOf({ size, topic }: Message): number {
  return size + 500 + 100 * topic.split("/").length;
}

function messageTo(topic: string, payloadBytes: number, expiresAt = Infinity): Message {
  return Message.create(
    { topic, qos: 1, retain: true, publisher: "", expiresAt },
    { properties: new Uint8Array(), expiryOffset: -1, payload: new Uint8Array(payloadBytes) },
  );
}

function openRetained(clock: ManualClock): RetainedMessages {
  const deadlines = new Deadlines(clock, silentLog);
  const journal = { isIdle: true, retain() {} };
  return new RetainedMessages({ limits, clock, deadlines, journal, memory: { isShort: false } });
}

const step = fc.record({
  what: fc.constantFrom("store", "store", "store", "expiring", "delete", "empty", "wait"),
  topic: fc.constantFrom("a", "b", "a/b", "a/c", "$SYS/a", "d"),
  size: fc.integer({ min: 1, max: 40 }),
});

test("what is retained is the last of each topic that the limits let in and time has left", () => {
  const property = fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
    const clock = new ManualClock();
    const retained = openRetained(clock);
    const model = new Map<string, Message>();
    const cost = (): number => [...model.values()].reduce((sum, each) => sum + costOf(each), 0);
    const bytes = (): number => [...model.values()].reduce((sum, { size }) => sum + size, 0);
    for (const { what, topic, size } of steps) {
      if (what === "store" || what === "expiring") {
        const expiresAt = what === "store" ? Infinity : clock.time + (size % 5) * 1000;
        const message = messageTo(topic, size, expiresAt);
        const previous = model.get(topic);
        const isWithin =
          cost() - (previous ? costOf(previous) : 0) + costOf(message) <= limits.retainedBytesMax &&
          (previous !== undefined || model.size < limits.retainedMessagesMax);
        assert.equal(retained.store(message), isWithin);
        if (isWithin) model.set(topic, message);
      } else if (what === "delete") {
        retained.delete(topic);
        model.delete(topic);
      } else if (what === "empty") {
        assert.equal(retained.store(messageTo(topic, 0)), true);
        model.delete(topic);
      } else clock.advance(size * 100);
      // Those that are due at once go when the timer rings.
      clock.advance(0);
      for (const [name, message] of model) if (message.hasExpired(clock.time)) model.delete(name);
      assert.equal(retained.size, model.size);
      assert.equal(retained.bytes, bytes());
      const seen = [...retained.match("#"), ...retained.match("$SYS/#")];
      assert.deepEqual(new Set(seen), new Set(model.values()));
    }
  });
  fc.assert(property, { numRuns: 500 });
});

test("a message that replaced one with an expiry does not expire with it", () => {
  const clock = new ManualClock();
  const retained = openRetained(clock);
  retained.store(messageTo("a", 1, clock.time + 1000));
  retained.store(messageTo("a", 2));
  clock.advance(5000);
  assert.equal(retained.size, 1);
});

test("a message that the limits refuse leaves the one before, with its expiry", () => {
  const clock = new ManualClock();
  const retained = openRetained(clock);
  const first = messageTo("a", 1, clock.time + 1000);
  retained.store(first);
  assert.equal(retained.store(messageTo("a", 2000)), false);
  assert.deepEqual([...retained.match("a")], [first]);
  clock.advance(1000);
  assert.equal(retained.size, 0);
});

test("a message on its way is copied, so that its bytes may go", () => {
  const clock = new ManualClock();
  const retained = openRetained(clock);
  const passing = new Message();
  Object.assign(passing, { bytes: Buffer.from("apayload"), topicEnd: 1, propertiesStart: 1 });
  Object.assign(passing, { propertiesEnd: 1, payloadStart: 1, payloadEnd: 8, topic: "a" });
  retained.store(passing);
  passing.bytes.fill(0);
  const [kept] = retained.match("a");
  assert.equal(kept.bytes.toString("utf8", kept.payloadStart, kept.payloadEnd), "payload");
});
