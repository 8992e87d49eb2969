import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Machine } from "./machine.ts";
import type { Source } from "./source.ts";

const figure = { path: "a", kind: "count", value: 1 } as const;

test("a source that fails is told of once until it is well, and holds nobody up", async () => {
  const reasons: (string | undefined)[] = ["broken", "broken", "other", undefined, "broken"];
  const ill: Source = {
    name: "the ill one",
    read: async () => {
      const reason = reasons.shift();
      if (reason !== undefined) throw new Error(reason);
      return [];
    },
  };
  const said: string[] = [];
  const well: Source = { name: "well", read: async () => [figure] };
  const machine = new Machine([ill, well], (line) => said.push(line));
  for (let look = 0; look < 5; look += 1) assert.deepEqual(await machine.look(), [figure]);
  assert.deepEqual(said, ["the ill one: broken", "the ill one: other", "the ill one: broken"]);
});

test("a source without an answer is left alone until it has one", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const answer = Promise.withResolvers<readonly (typeof figure)[]>();
  const read = mock.fn(() => answer.promise);
  const said: string[] = [];
  const machine = new Machine([{ name: "silent", read }], (line) => said.push(line));
  const first = machine.look();
  context.mock.timers.tick(5000);
  assert.deepEqual(await first, []);
  assert.deepEqual(await machine.look(), []);
  assert.equal(read.mock.callCount(), 1);
  assert.deepEqual(said, ["silent: no answer"]);
  answer.resolve([figure]);
  await answer.promise;
  await new Promise(setImmediate);
  assert.deepEqual(await machine.look(), [figure]);
});

test("what is no number is no figure", async () => {
  const read = async () => [figure, { ...figure, value: Number.NaN }];
  const machine = new Machine([{ name: "odd", read }], () => undefined);
  assert.deepEqual(await machine.look(), [figure]);
});
