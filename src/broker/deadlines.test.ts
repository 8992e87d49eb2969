/** Deadlines against a sorted array, on a clock that the test moves. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Clock, type Log, silentLog } from "../base/index.ts";
import { type Deadline, Deadlines } from "./deadlines.ts";

/** One timer at a time, as the class promises; it may ring too early when `hurry` is set, as real ones that are cut do. */
class OneTimerClock implements Clock {
  time = 1_000_000;
  hurry = false;
  #timer: { at: number; callback: () => void } | undefined;

  now(): number {
    return this.time;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.time + Math.max(0, milliseconds), callback };
    assert.equal(this.#timer, undefined, "a second timer was set");
    this.#timer = timer;
    return () => {
      if (this.#timer === timer) this.#timer = undefined;
    };
  }

  atEndOfTick(): void {
    throw new Error("deadlines know no ticks");
  }

  get isIdle(): boolean {
    return this.#timer === undefined;
  }

  advance(milliseconds: number): void {
    const until = this.time + milliseconds;
    let rounds = 0;
    for (let timer = this.#timer; timer !== undefined && timer.at <= until; timer = this.#timer) {
      assert.ok(++rounds < 10_000, "it rings for ever");
      this.#timer = undefined;
      this.time = Math.max(this.time, timer.at);
      timer.callback();
    }
    this.time = until;
    if (!this.hurry || this.#timer === undefined) return;
    const { callback } = this.#timer;
    this.#timer = undefined;
    callback();
  }
}

test("each is due once, at its time, in order, however they are moved and called off", () => {
  const step = fc.tuple(
    fc.constantFrom("schedule", "schedule", "move", "cancel", "advance"),
    fc.nat(),
    fc.integer({ min: -50, max: 1000 }),
  );
  const property = fc.property(
    fc.array(step, { maxLength: 80, size: "max" }),
    fc.boolean(),
    (steps, hurry) => {
      const clock = new OneTimerClock();
      clock.hurry = hurry;
      const deadlines = new Deadlines(clock, silentLog);
      /** By number: when each is due; undefined when it is not. */
      const model: (number | undefined)[] = [];
      const all: Deadline[] = [];
      let lastAt = Number.NEGATIVE_INFINITY;
      const due = (number: number): void => {
        const at = model[number];
        assert.ok(at !== undefined, `${number} is due and was not waiting`);
        assert.ok(at <= clock.time, "due too early");
        assert.ok(at >= lastAt, "due out of order");
        const earliest = Math.min(...model.filter((other) => other !== undefined));
        assert.equal(at, earliest, "another was due before");
        lastAt = at;
        model[number] = undefined;
      };
      for (const [what, pick, offset] of steps) {
        const number = pick % Math.max(1, all.length);
        const at = clock.time + offset;
        if (what === "schedule") {
          const index = all.length;
          model.push(at);
          all.push(deadlines.schedule(at, () => due(index)));
        } else if (what === "advance") {
          clock.advance(Math.max(0, offset));
          for (const waiting of model) {
            assert.ok(waiting === undefined || waiting > clock.time, "one was left out");
          }
        } else if (all.length > 0 && what === "move") {
          model[number] = at;
          deadlines.move(all[number], at);
        } else if (all.length > 0) {
          model[number] = undefined;
          deadlines.cancel(all[number]);
        }
        lastAt = Number.NEGATIVE_INFINITY;
      }
      clock.advance(2000);
      assert.ok(model.every((waiting) => waiting === undefined));
      assert.ok(all.every(({ place }) => place === -1));
    },
  );
  fc.assert(property, { numRuns: 500 });
});

test("what is due may move itself, call off others and set new ones", () => {
  const clock = new OneTimerClock();
  const deadlines = new Deadlines(clock, silentLog);
  const happened: string[] = [];
  const note = (name: string): void => {
    happened.push(`${name} ${clock.time - 1_000_000}`);
  };
  let rounds = 0;
  const again = deadlines.schedule(clock.time + 10, () => {
    note("again");
    if (++rounds < 3) deadlines.move(again, clock.time + 10);
  });
  const never = deadlines.schedule(clock.time + 20, () => note("never"));
  deadlines.schedule(clock.time + 10, () => {
    note("first");
    deadlines.cancel(never);
    deadlines.schedule(clock.time, () => note("at once"));
    deadlines.schedule(clock.time + 25, () => note("later"));
  });
  clock.advance(100);
  assert.deepEqual(happened.sort(), [
    "again 10",
    "again 20",
    "again 30",
    "at once 10",
    "first 10",
    "later 35",
  ]);
  assert.ok(clock.isIdle);
});

test("after clear nothing is due, also when it is cleared by what is due, and new ones count", () => {
  const clock = new OneTimerClock();
  const deadlines = new Deadlines(clock, silentLog);
  const happened: string[] = [];
  const old = deadlines.schedule(clock.time + 10, () => happened.push("old"));
  deadlines.clear();
  assert.ok(clock.isIdle);
  assert.equal(old.place, -1);
  deadlines.cancel(old);
  deadlines.schedule(clock.time + 5, () => {
    happened.push("clearing");
    deadlines.clear();
    deadlines.schedule(clock.time + 5, () => happened.push("after"));
  });
  deadlines.schedule(clock.time + 5, () => happened.push("other"));
  clock.advance(3);
  clock.advance(100);
  assert.ok(!happened.includes("old"));
  assert.equal(happened.at(-1), "after");
  assert.ok(happened.includes("clearing"));
  deadlines.move(old, clock.time + 1);
  clock.advance(1);
  assert.equal(happened.at(-1), "old");
});

test("one that throws is logged and stops none of the others", () => {
  const clock = new OneTimerClock();
  const errors: unknown[] = [];
  const log: Log = { ...silentLog, error: (fields) => errors.push(fields) };
  const deadlines = new Deadlines(clock, log);
  const happened: string[] = [];
  const mistake = new Error("broken");
  deadlines.schedule(clock.time + 1, () => {
    throw mistake;
  });
  deadlines.schedule(clock.time + 1, () => happened.push("same time"));
  deadlines.schedule(clock.time + 2, () => happened.push("later"));
  clock.advance(5);
  assert.deepEqual(happened, ["same time", "later"]);
  assert.deepEqual(errors, [{ error: mistake }]);
});
