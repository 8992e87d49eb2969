/** Batches: empty, large, repeated, and after the sink was closed and opened again. */
import assert from "node:assert/strict";
import { MessageMaker } from "./messages.ts";
import type { SinkCheck } from "./sink-trial.ts";

export const batchChecks: Readonly<Record<string, SinkCheck>> = {
  "an empty batch is nothing": async (trial) => {
    assert.equal(await trial.write([]), 0);
    await trial.holds([]);
  },

  "a large batch is there as a whole": async (trial) => {
    const maker = new MessageMaker();
    const topics = Array.from({ length: 20 }, (_, index) => `site/room${index}/temp`);
    const batch = Array.from({ length: 2000 }, (_, index) =>
      maker.number(topics[index % topics.length]),
    );
    assert.equal(await trial.write(batch), batch.length);
    await trial.holds(batch);
  },

  "batches come one after the other": async (trial) => {
    const batch = new MessageMaker().numbers(60);
    for (let index = 0; index < batch.length; index += 3) {
      assert.equal(await trial.write(batch.slice(index, index + 3)), 3);
    }
    await trial.holds(batch);
  },

  "a batch that comes again is there once, where there is a key": async (trial) => {
    const batch = new MessageMaker().numbers(10);
    await trial.write(batch);
    await trial.write(batch);
    await trial.holds(batch, { repeated: batch });
  },

  "a batch of which part is there already is completed": async (trial) => {
    const batch = new MessageMaker().numbers(10);
    const part = batch.filter((_, index) => index % 3 === 0);
    await trial.write(part);
    await trial.write(batch);
    await trial.holds(batch, { repeated: part });
  },

  "closed and opened again it goes on, and what was there stays": async (trial) => {
    const batch = new MessageMaker().numbers(9);
    for (const start of [0, 3, 6]) {
      await trial.write(batch.slice(start, start + 3));
      await trial.reopen();
    }
    await trial.holds(batch);
  },

  "opened and closed again without a write it leaves nothing": async (trial) => {
    await trial.reopen();
    await trial.reopen();
    await trial.holds([]);
  },
};
