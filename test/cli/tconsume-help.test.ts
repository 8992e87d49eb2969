/** The help of tconsume: short enough to be read, with the options of the sinks that it is asked about. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { run as tconsume } from "../../src/cli/tconsume.ts";
import { sinkKinds } from "../../src/sinks/index.ts";
import { runInMemory } from "./memory-io.ts";

async function help(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runInMemory(tconsume, [...args, "--help"]);
  assert.deepEqual([code, stderr], [0, ""]);
  return stdout;
}

test("the help names every sink, and lists the options of the one that is used by default", async () => {
  const text = await help();
  for (const name of Object.keys(sinkKinds)) assert.match(text, new RegExp(`^  ${name} +\\w`, "m"));
  assert.match(text, /--stdout-format/);
  for (const other of ["--sqlite-file", "--graphite-host", "--http-url"]) {
    assert.ok(!text.includes(other), other);
  }
  assert.match(text, /tconsume --sink NAME --help/);
  assert.match(text, /tconsume query --help/);
});

test("with --sink the help lists that sink's options, and those of several", async () => {
  const text = await help("--sink", "sqlite", "--sink", "http");
  assert.match(text, /^--sink sqlite: .*--sqlite-file.*^--sink http: .*--http-url/ms);
  assert.ok(!text.includes("--stdout-format"));
  assert.match(await help("--sink=graphite"), /--graphite-host/);
});

test("a slip in the option of a sink is corrected all the same", async () => {
  const { stderr } = await runInMemory(tconsume, ["--sqlite-fil", "x"]);
  assert.match(stderr, /Did you mean --sqlite-file\?/);
});

test("no line of any sink's help is longer than a terminal", async () => {
  const asked = Object.keys(sinkKinds).flatMap((name) => ["--sink", name]);
  const lines = [...(await help()).split("\n"), ...(await help(...asked)).split("\n")];
  assert.deepEqual(
    lines.filter((line) => line.length > 80 && !line.includes("mqtt(s)://")),
    [],
  );
});
