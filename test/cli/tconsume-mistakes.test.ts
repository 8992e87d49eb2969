/** What tconsume says when something is wrong: what happened, where, and what to do. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { run as tconsume } from "../../src/cli/tconsume.ts";
import { ConsumeWorld } from "./consume-world.ts";
import { runInMemory } from "./memory-io.ts";

for (const [args, expected] of [
  [["--sink", "sqlit"], /there is no sink "sqlit"; did you mean sqlite\?/],
  [["--sink", "oracle"], /there is no sink "oracle"; there are stdout, .*sqlite/],
  [["--sink", "stdout", "--sink", "stdout"], /--sink stdout is there twice/],
  [["--sqlite-file", "x.db"], /--sqlite-file is for --sink sqlite, which is not asked for/],
  [["--stdout-format", "xml"], /--stdout-format is text, csv or json, not "xml"/],
  [["--share", "a/b"], /--share is a word without \/ \+ and #, not "a\/b"/],
  [["--share", "g", "-t", "$share/h/x"], /"\$share\/h\/x" has a group already/],
  [["-t", "a/#/b"], /-t "a\/#\/b" has a # before its end/],
  [["--status-topic", "a/+"], /--status-topic "a\/\+" has a wildcard/],
  [["--status-topic", "a", "--will-topic", "b"], /--status-topic is a will already/],
  [["--clean", "-x", "5"], /--clean and -x exclude each other/],
  [["-I", "x"], /-I makes a new name each time/],
  [["--explain", "a"], /--explain takes a topic and a payload/],
  [["--explain", "a/#", "1"], /--explain "a\/#" has a wildcard/],
  [["stray"], /"stray" belongs to no option/],
  [["--explain", "a", "1", "2"], /belongs to no option|too many arguments/],
  [["--metrics", "x"], /--metrics takes a port, or host:port/],
  [["--spool-bytes", "much"], /--spool-bytes is a size such as 500kB, 100MB or 2GB, not "much"/],
  [["--pending-messages", "0"], /--pending-messages takes a number from 1 to 65535/],
  [["-V", "311", "-x", "5"], /-x exists in MQTT 5 only/],
] as const) {
  test(`${args.join(" ")} is refused in one line`, async () => {
    const { code, stdout, stderr } = await runInMemory(tconsume, args);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, expected);
    assert.match(stderr, /^tconsume: .* \(see tconsume --help\)\n$/);
  });
}

test("mistakes of a mapping are told with their lines, before anything is consumed", async (context) => {
  const world = new ConsumeWorld(context, 1);
  const file = world.file("mapping.yaml");
  writeFileSync(file, "rules:\n  - topic: a/#/b\n");
  const { code, stderr } = await world.run("--mapping", file);
  assert.equal(code, 1);
  assert.match(stderr, /^tconsume: .*mapping\.yaml:\d+/);
});

test("no broker: said at once, with 1", async (context) => {
  const { code, stderr } = await new ConsumeWorld(context, 1).run();
  assert.equal(code, 1);
  assert.match(
    stderr,
    /mqtt:\/\/127\.0\.0\.1:1: connection refused: is a broker listening there\?/,
  );
});
