import assert from "node:assert/strict";
import { test } from "node:test";
import type { SinkCounts } from "../pipeline/index.ts";
import type { Figures } from "./metric-table.ts";
import { describeProgress } from "./progress-text.ts";

const sink: SinkCounts = {
  name: "sqlite",
  destination: "SQLite in readings.db",
  state: "flowing",
  messages: 0,
  records: 0,
  batches: 0,
  retries: 0,
  refused: 0,
  spooledMessages: 0,
  spooledBytes: 0,
  lastError: undefined,
};

function figures(messages: number, sinks: readonly SinkCounts[], isOnline = true): Figures {
  return {
    counts: { messages, dropped: 0, unreadable: 0, pendingMessages: 0, pendingBytes: 0, sinks },
    consumer: { isOnline, connections: 1, acknowledged: 0, oldestArrivedAt: undefined },
  };
}

test("the line has the rate since the last one, and how each sink is", () => {
  let now = figures(1000, [sink]);
  const describe = describeProgress(() => now);
  assert.equal(describe(1), "tconsume: 1,000 messages, 1,000/s, sqlite flowing");
  const away: SinkCounts = {
    ...sink,
    name: "graphite",
    state: "spooling",
    spooledMessages: 1234,
    refused: 2,
  };
  now = figures(4000, [sink, away], false);
  assert.equal(
    describe(2),
    "tconsume: not connected, 4,000 messages, 1,500/s, sqlite flowing, graphite spooling (1,234 in the spool) (2 refused)",
  );
});
