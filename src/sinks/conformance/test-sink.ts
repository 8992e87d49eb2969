/**
 * What every sink must do, as tests of node:test: `src/sinks/sink.ts` in executable form. Each check has a destination
 * of its own, and knows nothing of a sink but the port and its traits.
 */
import { test } from "node:test";
import { batchChecks } from "./batch-checks.ts";
import { explainChecks } from "./explain-checks.ts";
import { nameChecks } from "./name-checks.ts";
import { outageChecks } from "./outage-checks.ts";
import { type SinkCheck, SinkTrial } from "./sink-trial.ts";
import type { SinkTraits, SinkUnderTest } from "./sink-under-test.ts";
import { valueChecks } from "./value-checks.ts";

export const sinkChecks: Readonly<Record<string, SinkCheck>> = {
  ...valueChecks,
  ...nameChecks,
  ...batchChecks,
  ...outageChecks,
  ...explainChecks,
};

/** Registers one test for each check. `open` answers a destination that holds nothing, and a sink that writes to it. */
export function testSink(
  name: string,
  traits: SinkTraits,
  open: () => Promise<SinkUnderTest>,
): void {
  for (const [title, check] of Object.entries(sinkChecks)) {
    test(`${name}: ${title}`, () => runSinkCheck(check, traits, open));
  }
}

export async function runSinkCheck(
  check: SinkCheck,
  traits: SinkTraits,
  open: () => Promise<SinkUnderTest>,
): Promise<void> {
  const trial = await SinkTrial.open(await open(), traits);
  try {
    await check(trial);
  } finally {
    await trial.end();
  }
}
