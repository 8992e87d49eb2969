/**
 * A storage engine beside the plain one: random batches, pages and reopenings, and the same answers from both. What
 * fails is told with its seed, and with the fewest steps that make it fail.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { StorageChange, StoredRow, TrimOutcome } from "../../src/broker/ports.ts";
import type { StorageUnderTest } from "../../src/storage/conformance/index.ts";
import { StorageTrial } from "../../src/storage/conformance/storage-trial.ts";
import { PlainStorage } from "./plain-storage.ts";
import { anyChoice, type Choice, toChanges, type World } from "./storage-choices.ts";

type Step =
  | { readonly step: "commit"; readonly choices: readonly Choice[] }
  | { readonly step: "read"; readonly queue: number; readonly page: Page }
  | { readonly step: "reopen" };

interface Page {
  readonly after: number;
  readonly messagesMax: number;
  readonly bytesMax: number;
  /** Instead of `bytesMax`: exactly the bytes of the page that the other two make. */
  readonly isExact: boolean;
}

const anyPage = fc.record({
  after: fc.integer({ min: -20, max: 40 }),
  messagesMax: fc.integer({ min: 1, max: 10 }),
  bytesMax: fc.nat(1500),
  isExact: fc.boolean(),
});

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      step: fc.constant("commit" as const),
      choices: fc.array(anyChoice, { minLength: 1, maxLength: 30 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      step: fc.constant("read" as const),
      queue: fc.nat(20),
      page: anyPage,
    }),
  },
  { weight: 1, arbitrary: fc.record({ step: fc.constant("reopen" as const) }) },
);

const anySteps = fc.array(anyStep, { minLength: 4, maxLength: 30 });

async function checkCommit(
  trial: StorageTrial,
  world: World,
  choices: readonly Choice[],
): Promise<void> {
  const changes: StorageChange[] = [];
  const trimmed: TrimOutcome[] = [];
  for (const choice of choices) {
    for (const change of toChanges(world, choice)) {
      const outcome = world.plain.apply(change);
      if (outcome !== undefined) trimmed.push(outcome);
      changes.push(change);
    }
  }
  assert.deepEqual(await trial.commit(...changes), { trimmed }, "what a batch has trimmed");
}

async function checkPage(
  trial: StorageTrial,
  { plain }: World,
  queue: number,
  page: Page,
): Promise<void> {
  const rows = plain.waiting(queue).filter(({ position }) => position > page.after);
  // An exact page ends by its bytes alone.
  const messagesMax = page.isExact ? 1000 : page.messagesMax;
  const bytesMax = page.isExact ? bytesOf(rows.slice(0, page.messagesMax)) : page.bytesMax;
  const reached = rows.findIndex((_, index) => bytesOf(rows.slice(0, index + 1)) >= bytesMax);
  const length = reached === -1 ? rows.length : reached + 1;
  assert.deepEqual(
    await trial.readWaiting(queue, { after: page.after, messagesMax, bytesMax }),
    rows.slice(0, Math.min(length, messagesMax)).map((row) => plain.deliver(row)),
    `a page of queue ${queue}`,
  );
}

function bytesOf(rows: readonly StoredRow[]): number {
  return rows.reduce((bytes, row) => bytes + row.bytes, 0);
}

async function checkQueues(trial: StorageTrial, { plain }: World): Promise<void> {
  for (const queue of plain.queues) {
    const waiting = plain.waiting(queue).map((row) => plain.deliver(row));
    const underWay = plain.underWay(queue).map((row) => plain.deliver(row));
    assert.deepEqual(await trial.readWaiting(queue), waiting, `what waits in queue ${queue}`);
    assert.deepEqual(await trial.readUnderWay(queue), underWay, `under way in queue ${queue}`);
  }
}

/** The broker goes on from the highest numbers that are there. */
async function checkReopened(trial: StorageTrial, world: World): Promise<void> {
  const state = await trial.reopen();
  assert.deepEqual(state, world.plain.state, "what comes back");
  world.queueLast = state.queueLast;
  world.messageLast = state.messageLast;
  await checkQueues(trial, world);
}

async function checkSteps(trial: StorageTrial, steps: readonly Step[]): Promise<void> {
  const world: World = { plain: new PlainStorage(), queueLast: 0, messageLast: 0 };
  for (const step of steps) {
    if (step.step === "commit") await checkCommit(trial, world, step.choices);
    else if (step.step === "read") await checkPage(trial, world, step.queue, step.page);
    else await checkReopened(trial, world);
  }
  await checkQueues(trial, world);
  await checkReopened(trial, world);
}

/** Fails with the seed when the engine and the plain one part. Each run has an engine of its own. */
export async function checkAgainstModel(
  open: () => Promise<StorageUnderTest>,
  { runs }: { runs: number },
): Promise<void> {
  const property = fc.asyncProperty(anySteps, async (steps) => {
    const trial = await StorageTrial.open(open);
    try {
      await checkSteps(trial, steps);
    } finally {
      await trial.end();
    }
  });
  await fc.assert(property, { numRuns: runs });
}
