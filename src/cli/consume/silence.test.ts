import assert from "node:assert/strict";
import { test } from "node:test";
import { awaitSilence } from "./silence.ts";

test("it asks until two answers in a row bring nothing, each after all that came is acknowledged", async () => {
  const portions = [10, 5, 0, 3, 0, 0];
  const steps: string[] = [];
  let received = 0;
  await awaitSilence({
    received: () => received,
    settle: async () => void steps.push(`settle ${received}`),
    ping: async () => {
      received += portions.shift() ?? 0;
      steps.push("ping");
    },
  });
  assert.deepEqual([received, portions], [18, []]);
  assert.deepEqual(
    steps.filter((step) => step !== "ping"),
    ["settle 0", "settle 10", "settle 15", "settle 15", "settle 18", "settle 18"],
  );
});
