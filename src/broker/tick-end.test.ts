/** The end of a tick: once for each outbox, and one that fails stops no other. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, systemClock } from "../base/index.ts";
import { Counters } from "./counters.ts";
import { Outbox } from "./outbox.ts";
import type { Transport } from "./ports.ts";
import { TickEnd } from "./tick-end.ts";

function brokenTransport(): Transport {
  return {
    remoteAddress: "",
    listener: "",
    pendingBytes: 0,
    write() {
      throw new Error("broken");
    },
    pause() {},
    resume() {},
    end() {},
    destroy() {},
  };
}

function ticksByHand(): { clock: Clock; ticks: (() => void)[] } {
  const ticks: (() => void)[] = [];
  return { ticks, clock: { ...systemClock, atEndOfTick: (callback) => ticks.push(callback) } };
}

/** An outbox that notes in `notes` when its tick ends and when it fails. */
function newOutbox(tickEnd: TickEnd, notes: string[], name: string, transport: Transport): Outbox {
  return new Outbox(transport, tickEnd, {
    outboxFlushed: () => notes.push(`${name} flushed`),
    fail: (error) => notes.push(`${name} ${error}`),
  });
}

test("an outbox whose write fails is told, the others are written, and the next tick is as any", () => {
  const { clock, ticks } = ticksByHand();
  const tickEnd = new TickEnd(clock, new Counters());
  const notes: string[] = [];
  const sound = { ...brokenTransport(), write() {} };
  const broken = newOutbox(tickEnd, notes, "broken", brokenTransport());
  const first = newOutbox(tickEnd, notes, "first", sound);
  const last = newOutbox(tickEnd, notes, "last", sound);
  for (const outbox of [first, broken, last]) outbox.appendAcknowledgement(0x40, 1);
  assert.equal(ticks.length, 1);
  ticks.shift()?.();
  assert.deepEqual(notes, ["first flushed", "broken Error: broken", "last flushed"]);
  notes.length = 0;
  for (const outbox of [last, first]) outbox.appendAcknowledgement(0x40, 2);
  ticks.shift()?.();
  assert.deepEqual(notes, ["last flushed", "first flushed"]);
});

test("what becomes dirty at the end of a tick belongs to the next", () => {
  const { clock, ticks } = ticksByHand();
  const tickEnd = new TickEnd(clock, new Counters());
  const notes: string[] = [];
  const sound = { ...brokenTransport(), write() {} };
  let rounds = 0;
  const outbox: Outbox = new Outbox(sound, tickEnd, {
    outboxFlushed() {
      notes.push("flushed");
      if (++rounds < 3) outbox.appendAcknowledgement(0x40, rounds);
    },
    fail: (error) => notes.push(`${error}`),
  });
  outbox.appendAcknowledgement(0x40, 9);
  for (const round of [1, 2, 3]) {
    assert.equal(ticks.length, 1);
    ticks.shift()?.();
    assert.equal(notes.length, round);
  }
  assert.equal(ticks.length, 0);
});
