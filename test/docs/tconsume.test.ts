/** docs/tconsume.md does what it says, and lists what there is. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { metrics, sinkMetrics } from "../../src/cli/consume/metric-table.ts";
import { findFreePort } from "../cli/mosquitto.ts";
import { FollowedPage } from "./followed-page.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/tconsume.md"), "utf8");

test("docs/tconsume.md does what it says", { timeout: 55_000 }, async (context) => {
  const port = await findFreePort();
  const followed = await FollowedPage.open("docs/tconsume.md", {
    ports: [],
    adapt: (text) => text.replaceAll(":1883", `:${port}`),
    environment: {
      TSTACK_LISTEN: `mqtt://127.0.0.1:${port}`,
      TSTACK_BROKER: `mqtt://localhost:${port}`,
    },
  });
  context.after(() => followed.close());
  await followed.follow("npx tconsume --explain");
  assert.equal(followed.left, 0);
  await followed.terminal(3).finish();
});

test("docs/tconsume.md has every metric", () => {
  const names = [...Object.keys(metrics), ...Object.keys(sinkMetrics), "tconsume_sink_state"];
  assert.deepEqual(
    names.filter((name) => !page.includes(`\`${name}\``)),
    [],
  );
});
