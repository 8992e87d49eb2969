/**
 * A consumer to be killed: it takes the numbers from `first` up to `end`, and tells its parent which are safe. Its sink
 * is a file, which is there `always`, `never` or `sometimes`. Run: node crash-child.ts FOLDER FIRST END PRESENCE
 */
import assert from "node:assert/strict";
import { appendFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import {
  type MappedMessage,
  type Sink,
  SinkRefusal,
  SinkUnavailable,
} from "../../src/sinks/index.ts";
import { textOf, World } from "./consumer-world.ts";

const [folder, first, end, presence] = process.argv.slice(2);

function makeSink(isThere: () => boolean, file: string): Sink {
  return {
    write: (batch: readonly MappedMessage[]) => {
      if (!isThere()) return Promise.reject(new SinkUnavailable(`${file} is away`));
      const texts = batch.map(textOf);
      const refused = new Map<number, string>();
      for (const [index, text] of texts.entries()) {
        if (Number(text) % 100 === 99) refused.set(index, "no such number");
      }
      const taken = texts.filter((_, index) => !refused.has(index));
      appendFileSync(join(folder, file), taken.map((text) => `${text}\n`).join(""));
      if (refused.size > 0) return Promise.reject(new SinkRefusal("some", { refused }));
      return Promise.resolve(taken.length);
    },
    close: () => Promise.resolve(),
  };
}

const isThere = () => {
  if (presence === "sometimes") return Math.floor(performance.now() / 50) % 2 === 0;
  return presence === "always";
};
const sinks = { spooled: makeSink(isThere, "spooled.txt"), well: makeSink(() => true, "well.txt") };
const limits = { batchMessagesMax: 100, pendingMessagesMax: 1000, spoolAfterSeconds: 0.01 };
const world = await World.open({ folder, sinks, limits });
let told = 0;
const tell = () => {
  if (world.safe > told) writeSync(1, `${Number(first) + world.safe}\n`);
  told = world.safe;
};
for (let next = Number(first); next < Number(end); next++) {
  world.take(String(next));
  if (next % 50 !== 0) continue;
  await new Promise((resolve) => setImmediate(resolve));
  await world.until(() => world.pipeline.hasRoom);
  tell();
}
assert.equal(await world.pipeline.drain(30), true);
tell();
await world.pipeline.close();
