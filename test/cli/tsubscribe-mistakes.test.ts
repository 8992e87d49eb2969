/** Mistakes on the command line of tsubscribe: each is one line that says what to write, and exit code 1. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../../src/cli/tsubscribe.ts";
import { runInMemory } from "./memory-io.ts";

const mistakes: readonly [args: string, told: RegExp][] = [
  ["", /no topic: add -t/],
  ["-t a -p secret", /the password is -P/],
  ["-t a/#/b", /-t "a\/#\/b" has a # before its end/],
  ["-t a+ ", /has a wildcard that is not alone in its level/],
  ["-t $share/g", /is not \$share\/group\/filter/],
  ["-t a -T b#", /-T "b#" has a wildcard/],
  ["-t a -U b#", /-U "b#" has a wildcard/],
  ["-t a -C 0", /-C takes a number from 1/],
  ["-t a -F %Z", /-F has no "%Z"; there are %%/],
  ["-t a -F %", /-F has no "%"/],
  ["-t a -F %10", /-F has no "%10"/],
  ["-t a -F @", /-F has no "@"/],
  ["-t a -F @Q", /-F has no "@Q"/],
  ["-t a -F \\q", /-F has no "\\q"/],
  ["-t a -R --retained-only", /leave nothing/],
  ["-t a -V 311 --retain-as-published", /--retain-as-published exists in MQTT 5 only/],
  ["-t a -D publish content-type x", /for tpublish/],
  ["-t a -m x", /unknown option '-m'/],
];
for (const [args, told] of mistakes) {
  test(`"tsubscribe ${args}" is one line on stderr and exit code 1`, async () => {
    const { code, stdout, stderr } = await runInMemory(run, args.split(" ").filter(Boolean));
    assert.match(stderr, told);
    assert.equal(stderr.trimEnd().split("\n").length, 1);
    assert.deepEqual([code, stdout], [1, ""]);
  });
}

test("an empty topic is a mistake", async () => {
  assert.match((await runInMemory(run, ["-t", ""])).stderr, /-t "" is empty/);
});
