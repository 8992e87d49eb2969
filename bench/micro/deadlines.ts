/**
 * `Deadlines` with 15,000 of them waiting, as many keep alives: one moved to later, one scheduled and called off.
 * Measured 2026-11-23 on two shared cores of an Intel Xeon, Node 24.21: 21 and 123 ns.
 */
import { silentLog } from "../../src/base/index.ts";
import { Deadlines } from "../../src/broker/deadlines.ts";
import { measureTasks } from "./stopwatch.ts";

const operations = 1000;
const waiting = 15_000;
/** A clock that stands still: nothing is ever due. */
const clock = { now: () => 0, after: () => () => {}, atEndOfTick() {} };
const deadlines = new Deadlines(clock, silentLog);
const due = () => {};
let at = 60_000;
const all = Array.from({ length: waiting }, () => deadlines.schedule(at++, due));

await measureTasks(import.meta.filename, [
  {
    name: "moved behind all others",
    unit: "deadline",
    operations,
    run: () => {
      for (let i = 0; i < operations; i++) deadlines.move(all[(i * 7919) % waiting], at++);
    },
  },
  {
    name: "scheduled and called off",
    unit: "deadline",
    operations,
    run: () => {
      for (let i = 0; i < operations; i++) deadlines.cancel(deadlines.schedule(30_000 + i, due));
    },
  },
]);
