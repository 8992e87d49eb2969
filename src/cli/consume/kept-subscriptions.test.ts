import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { KeptSubscriptions } from "./kept-subscriptions.ts";

const session = { broker: "mqtt://localhost:1883", clientId: "tconsume-1" };

function makeFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "kept-subscriptions-"));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("what was granted is not asked for again after a restart, but with another QoS", (context) => {
  const folder = makeFolder(context);
  const first = new KeptSubscriptions(folder, session);
  assert.deepEqual(first.missing(["a/#", "b"], 1), ["a/#", "b"]);
  first.keep(["a/#"], 1);
  const second = new KeptSubscriptions(folder, session);
  assert.deepEqual(second.missing(["a/#", "b"], 1), ["b"]);
  assert.deepEqual(second.missing(["a/#"], 2), ["a/#"]);
});

test("what is not wanted any more is given back, and until that is done it is neither there nor gone", (context) => {
  const folder = makeFolder(context);
  new KeptSubscriptions(folder, session).keep(["a", "b"], 1);
  assert.deepEqual(new KeptSubscriptions(folder, session).takeUnwanted(["a"]), ["b"]);
  const killed = new KeptSubscriptions(folder, session);
  assert.deepEqual(killed.missing(["a", "b"], 1), ["b"]);
  assert.deepEqual(killed.takeUnwanted(["a"]), ["b"]);
  killed.keep(["a"], 1);
  assert.deepEqual(new KeptSubscriptions(folder, session).takeUnwanted(["a"]), []);
});

test("a new session is known to be empty before it is asked for anything, also by who is killed then", (context) => {
  const folder = makeFolder(context);
  const before = new KeptSubscriptions(folder, session);
  before.keep(["a"], 1);
  before.forget();
  assert.deepEqual(before.missing(["a"], 1), ["a"]);
  assert.deepEqual(new KeptSubscriptions(folder, session).missing(["a"], 1), ["a"]);
});

for (const [what, other] of [
  ["another broker", { ...session, broker: "mqtt://elsewhere:1883" }],
  ["another client identifier", { ...session, clientId: "tconsume-2" }],
] as const) {
  test(`of ${what} nothing is known`, (context) => {
    const folder = makeFolder(context);
    new KeptSubscriptions(folder, session).keep(["a"], 1);
    assert.deepEqual(new KeptSubscriptions(folder, other).missing(["a"], 1), ["a"]);
    assert.deepEqual(new KeptSubscriptions(folder, other).takeUnwanted([]), []);
  });
}

test("a file that is damaged says nothing", (context) => {
  const folder = makeFolder(context);
  new KeptSubscriptions(folder, session).keep(["a"], 1);
  const file = join(folder, "subscriptions.json");
  assert.ok(existsSync(file));
  writeFileSync(file, "{");
  assert.deepEqual(new KeptSubscriptions(folder, session).missing(["a"], 1), ["a"]);
});
