/** When memory is short and when it is enough, who is told, and that nobody looks while nobody is connected. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../test/conformance/harness/virtual-clock.ts";
import { defaultLimits, silentLog } from "../base/index.ts";
import { Deadlines } from "./deadlines.ts";
import { MemoryWatch } from "./memory-watch.ts";

class Watched {
  readonly clock = new VirtualClock();
  readonly told: string[] = [];
  connectionCount = 0;
  bytes = 0;
  looks = 0;
  readonly limits = { ...defaultLimits, memoryBytesMax: 1000 };
  readonly log = {
    ...silentLog,
    warn: () => this.told.push("short"),
    info: () => this.told.push("enough"),
  };
  readonly deadlines = new Deadlines(this.clock, this.log);
  readonly watch = new MemoryWatch(this, () => {
    this.looks++;
    return this.bytes;
  });

  connect(): void {
    this.connectionCount++;
    this.watch.watch();
  }
}

test("short above the limit, enough again below nine tenths, and told at each change", () => {
  const watched = new Watched();
  watched.connect();
  const states = [1000, 1001, 950, 900, 899, 950, 2000].map((bytes) => {
    watched.bytes = bytes;
    watched.clock.advance(250);
    return watched.watch.isShort;
  });
  assert.deepEqual(states, [false, true, true, true, false, false, true]);
  assert.deepEqual(watched.told, ["short", "enough", "short"]);
  assert.equal(watched.watch.shortages, 2);
});

test("four looks a second while there are connections, none after, and one at once when there are some again", () => {
  const watched = new Watched();
  watched.connect();
  watched.connect();
  assert.equal(watched.looks, 1);
  watched.bytes = 2000;
  watched.clock.advanceSeconds(10);
  assert.equal(watched.looks, 41);
  watched.connectionCount = 0;
  watched.clock.advanceSeconds(10);
  assert.equal(watched.looks, 42);
  assert.equal(watched.clock.timerCount, 0);
  watched.bytes = 0;
  watched.connect();
  assert.equal(watched.watch.isShort, false);
});

test("who waits for a look is told once, unless it has been forgotten", () => {
  const watched = new Watched();
  watched.connect();
  const told: string[] = [];
  const [patient, gone] = ["patient", "gone"].map((name) => ({ looked: () => told.push(name) }));
  watched.watch.waitForLook(patient);
  watched.watch.waitForLook(gone);
  watched.watch.forget(gone);
  watched.clock.advanceSeconds(1);
  assert.deepEqual(told, ["patient"]);
});

test("where nobody knows how much it is, nobody looks", () => {
  const watched = new Watched();
  const blind = new MemoryWatch(watched, undefined);
  watched.connectionCount = 1;
  blind.watch();
  assert.equal(watched.clock.timerCount, 0);
  assert.equal(blind.isShort, false);
});
