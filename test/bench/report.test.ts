/** The page that `npm run bench` writes, from results made up: what was missed, lost or not measured is told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { renderCharts } from "../../bench/charts.ts";
import { isSameMachine } from "../../bench/machine.ts";
import type { LoadFigures } from "../../bench/mqload.ts";
import { renderPage } from "../../bench/report.ts";
import { putFigures, renderDurability } from "../../bench/report-durability.ts";
import {
  type DrainFigures,
  type Measured,
  type Results,
  ratiosOf,
  spreadOf,
} from "../../bench/results.ts";
import { listTargets } from "../../bench/targets.ts";

function figures(cpuMicroseconds: number, lost = 0): LoadFigures {
  return {
    cpuMicroseconds,
    deliveredPerSecond: 1000,
    p50Microseconds: 10,
    p99Microseconds: 20,
    lost,
    outOfOrder: 0,
    brokerUtilisation: 0.5,
    loadUtilisation: 0.5,
  };
}

function measured(...rounds: Measured<LoadFigures>["rounds"]): Measured<LoadFigures> {
  return { date: "2026-01-02", seconds: 3, rounds };
}

/** tStack's microseconds beside nats-server's 1.0 in each round of the first scenario. */
function resultsOf(...ours: LoadFigures[]): Results {
  const rounds = ours.map((own) => ({
    tStack: own,
    "tStack, MQTT 5.0": own,
    "nats-server": figures(1),
  }));
  return {
    machine: {
      processor: "a processor",
      cores: 2,
      memoryGigabytes: 4,
      system: "Linux",
      node: "24.0.0",
      versions: { tStack: "1", "nats-server": "2", mosquitto: "3", aedes: "4" },
    },
    speed: { "one-qos0": measured(...rounds) },
  };
}

test("a target is met by the median of all rounds", () => {
  const [target] = listTargets(resultsOf(figures(0.9), figures(0.2), figures(0.25)));
  assert.equal(target.measured.median, 0.25);
  assert.deepEqual(target.measured.all, [0.2, 0.25, 0.9]);
  assert.equal(target.isMet, true);
});

test("a target that is missed is told so", () => {
  const results = resultsOf(figures(0.31));
  assert.equal(listTargets(results)[0].isMet, false);
  assert.match(renderPage(results, "## Prose"), /\*\*0\.310\*\* of nats-server .*\*\*missed\*\*/);
});

test("who loses messages misses its target however fast it is, and the page tells how many", () => {
  const results = resultsOf(figures(0.01), figures(0.01, 7));
  assert.equal(listTargets(results)[0].isMet, false);
  const page = renderPage(results, "## Prose");
  assert.match(page, /\*\*missed\*\*: 7 lost, 0 out of order/);
  assert.match(page, /- tStack, 1 to 1, QoS 0: 7 lost/);
});

test("parts of other runs, or of another tStack, are told apart", () => {
  const results = resultsOf(figures(0.1));
  const one = { ...measured(...results.speed["one-qos0"].rounds), tStack: "0.9" };
  const idleEach = { tStack: 7, "nats-server": 20, mosquitto: 1, aedes: 18 };
  const later = { date: "2026-01-03", tStack: "1.0", seconds: 1, rounds: [idleEach] };
  const page = renderPage({ ...results, speed: { "one-qos0": one }, idle: later }, "## Prose");
  const two =
    "2026-01-02, 1 rounds of 3 seconds each (one-qos0); 2026-01-03, 1 rounds of 1 seconds";
  assert.ok(page.includes(`| measured | ${two} each (idle), the brokers in turn |`));
  assert.ok(page.includes("| tStack | 0.9 (one-qos0); 1.0 (idle), Node.js"));
});

test("results of another machine, or beside other peers, are not mixed in", () => {
  const { machine } = resultsOf(figures(0.1));
  const versions = { ...machine.versions, tStack: "2" };
  assert.ok(isSameMachine(machine, { ...machine, versions }));
  assert.ok(!isSameMachine(machine, { ...machine, versions: { ...versions, mosquitto: "4" } }));
  assert.ok(!isSameMachine(machine, { ...machine, processor: "another" }));
});

test("parts that were not measured are left out, and the prose stands at the end", () => {
  const page = renderPage(resultsOf(figures(0.1)), "## Prose\n");
  assert.doesNotMatch(page, /storm of subscriptions|WebSocket beside TCP|undefined|NaN/);
  assert.ok(page.endsWith("## Prose\n"));
});

test("every chart is there for light and for dark pages", () => {
  const charts = renderCharts(resultsOf(figures(0.1)));
  assert.deepEqual([...charts.keys()].sort(), [
    "performance/cpu-dark.svg",
    "performance/cpu-light.svg",
    "performance/targets-dark.svg",
    "performance/targets-light.svg",
  ]);
  for (const svg of charts.values()) assert.match(svg, /^<svg[\s\S]*0\.100[\s\S]*<\/svg>\n$/);
});

/** tStack beside a mosquitto of 1000 messages per second and 1 us for each; drained at `drainRate`. */
function keptBy(own: LoadFigures, drainRate: number): Results {
  const head = { date: "2026-01-02", seconds: 3 };
  const { lost, outOfOrder } = own;
  const drained: DrainFigures = {
    startMilliseconds: 1500,
    residentBytesAtStart: 1e8,
    deliveredPerSecond: drainRate,
    cpuMicroseconds: 3,
    residentBytesAtEnd: 1e8,
    loadUtilisation: 0.1,
    lost,
    outOfOrder,
  };
  const all = {
    "tStack, fsync": own,
    "tStack, os": own,
    "tStack, memory": own,
    mosquitto: figures(1),
    "mosquitto, persistence": figures(1),
  };
  return {
    ...resultsOf(figures(0.1)),
    durability: {
      disk: { ...head, rounds: [{ disk: 200 }] },
      kept: measured(all),
      offline: measured(all),
      drain: { ...head, rounds: [{ "tStack, fsync": drained }] },
    },
  };
}

function verdictsOf(results: Results): boolean[] {
  return listTargets(results)
    .filter(({ name }) => /kept|comes back/.test(name))
    .map(({ isMet }) => isMet);
}

test("of a rate the target is the least", () => {
  const fast = { ...figures(0.3), deliveredPerSecond: 80_000 };
  assert.deepEqual(verdictsOf(keptBy(fast, 100_000)), [true, true, true, true]);
  const slow = { ...figures(0.31), deliveredPerSecond: 999 };
  assert.deepEqual(verdictsOf(keptBy(slow, 99_999)), [false, false, false, false]);
  const page = renderPage(keptBy(slow, 99_999), "## Prose");
  assert.match(page, /\*\*99,999\*\* messages per second \| at least 100,000 .*\*\*missed\*\*/);
});

test("who loses what it should keep misses its targets", () => {
  const loses = { ...figures(0.1, 1), deliveredPerSecond: 1e6 };
  assert.deepEqual(verdictsOf(keptBy(loses, 1e6)), [false, false, true, false]);
});

test("the figures of what is kept stand between the markers of a page, and nothing else changes", () => {
  const text = renderDurability(keptBy(figures(0.1), 1e6));
  assert.ok(text !== undefined);
  assert.match(text, /0\.200 ms for a write of 8 KB/);
  assert.doesNotMatch(text, /undefined|NaN/);
  const page = "# A\n\n<!-- figures: begin -->\noutdated\n<!-- figures: end -->\n\nB\n";
  const once = putFigures(page, text);
  assert.ok(once.startsWith("# A\n\n<!-- figures: begin -->\n\n"));
  assert.ok(once.endsWith("\n\n<!-- figures: end -->\n\nB\n"));
  assert.ok(once.includes(text) && !once.includes("outdated"));
  assert.equal(putFigures(once, text), once);
  assert.throws(() => putFigures("# A\n", text), /no <!-- figures: begin -->/);
  assert.equal(renderDurability(resultsOf(figures(0.1))), undefined);
});

test("the median of an even number of rounds lies between the two in the middle", () => {
  assert.deepEqual(spreadOf([4, 1, 3, 2]), { median: 2.5, least: 1, most: 4, all: [1, 2, 3, 4] });
});

test("a round counts for a ratio where both were measured", () => {
  const rounds = measured({ a: figures(1), b: figures(2) }, { a: figures(1) });
  assert.deepEqual(
    ratiosOf(rounds, ["a", "b"], (figure) => figure.cpuMicroseconds),
    [0.5],
  );
});
