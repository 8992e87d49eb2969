/** What was lost: counted always, told once for each reason until it is asked for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../base/index.ts";
import { Counters } from "./counters.ts";
import { Drops } from "./drops.ts";

test("each reason is told once, nothing lost is no news, and after take it is told again", () => {
  const warned: object[] = [];
  const counters = new Counters();
  const log = { ...silentLog, warn: (fields: object) => warned.push(fields) };
  const drops = new Drops("client", { clock: { now: () => 0 }, counters, log });
  drops.count("sessionEnded", 0);
  assert.equal(drops.take(), undefined);
  drops.count("queueFull", 2);
  drops.count("queueFull", 3);
  drops.count("slowReader", 1);
  drops.count("sessionEnded", 4); // no fault of the client: counted, not warned of
  assert.deepEqual(warned, [
    { client: "client", reason: "queueFull" },
    { client: "client", reason: "slowReader" },
  ]);
  assert.deepEqual(drops.take(), { queueFull: 5, slowReader: 1, sessionEnded: 4 });
  drops.count("queueFull", 1);
  assert.equal(warned.length, 3);
  assert.equal(counters.dropped.queueFull, 6);
});
