/** The destination goes away and comes back. Where it cannot go away, these are streams without an outage. */
import assert from "node:assert/strict";
import type { MappedMessage } from "../sink.ts";
import { SinkUnavailable } from "../sink.ts";
import { MessageMaker } from "./messages.ts";
import type { SinkCheck, SinkTrial } from "./sink-trial.ts";

/** It says that it is away, also to the second attempt. */
async function checkAway(trial: SinkTrial, batch: readonly MappedMessage[]): Promise<void> {
  if (!trial.canBeCutOff) return;
  for (const attempt of [1, 2]) {
    await assert.rejects(trial.write(batch), SinkUnavailable, `attempt ${attempt}`);
  }
}

export const outageChecks: Readonly<Record<string, SinkCheck>> = {
  "cut off it says so, and takes the same batch once it is back": async (trial) => {
    const batch = new MessageMaker().numbers(12);
    const [before, during, after] = [batch.slice(0, 4), batch.slice(4, 8), batch.slice(8)];
    await trial.write(before);
    await trial.cutOff();
    await checkAway(trial, during);
    await trial.bringBack();
    await trial.deliver(during);
    await trial.deliver(after);
    await trial.holds(batch, { repeated: during });
  },

  "cut off twice in the middle of a stream, nothing is missing": async (trial) => {
    const batch = new MessageMaker().numbers(120);
    let outages = Promise.resolve();
    for (let index = 0; index < batch.length; index += 4) {
      const delivery = trial.deliver(batch.slice(index, index + 4));
      if (index === 40 || index === 80) {
        outages = outages.then(() => trial.cutOff()).then(() => trial.bringBack());
      }
      await delivery;
    }
    await outages;
    await trial.holds(batch, { repeated: batch });
  },

  "opened while the destination is away, it waits for nothing": async (trial) => {
    const batch = new MessageMaker().numbers(4);
    await trial.cutOff();
    await trial.reopen();
    await checkAway(trial, batch);
    await trial.bringBack();
    await trial.deliver(batch);
    await trial.holds(batch, { repeated: batch });
  },

  "closed while the destination is away, it ends": async (trial) => {
    const batch = new MessageMaker().numbers(8);
    const [before, during] = [batch.slice(0, 4), batch.slice(4)];
    await trial.write(before);
    await trial.cutOff();
    await checkAway(trial, during);
    await trial.close();
    await trial.bringBack();
    await trial.reopen();
    // What a sink that was closed has, stays with its destination alone: one that was killed may have lost it.
    await trial.deliver(batch);
    await trial.holds(batch, { repeated: batch });
  },
};
