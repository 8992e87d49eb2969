/** docs/sinks.md has a section for every sink, with each of its options and variables. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { sinkKinds } from "../../src/sinks/index.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/sinks.md"), "utf8");
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf("\n")), section]),
);

for (const [name, load] of Object.entries(sinkKinds)) {
  test(`docs/sinks.md has the options of ${name}`, async () => {
    const { options } = await load();
    const section = sections.get(name) ?? "";
    const names = options.flatMap(({ flags, environment = "" }) => [
      flags.split(" ")[0],
      environment,
    ]);
    assert.deepEqual(
      names.filter((word) => !section.includes(word)),
      [],
    );
  });
}

test("docs/sinks.md has a section for each sink, and no other", () => {
  assert.deepEqual([...sections.keys()].sort(), Object.keys(sinkKinds).sort());
});
