/** The example in the documentation of `createBroker` runs as it stands, but for its port, which may be taken. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

const library = join(import.meta.dirname, "../../src/index.ts");

test("the example of createBroker publishes to its own subscription, and ends", {
  timeout: 20_000,
}, async (context) => {
  const source = await readFile(library, "utf8");
  const [, block] = /@example\n((?: \* .*\n)+)/.exec(source) ?? [];
  assert.ok(block?.includes("createBroker()"), "the example is there");
  const example = block
    .replaceAll(/^ \* /gm, "")
    .replace('"tstack"', JSON.stringify(pathToFileURL(library).href))
    .replace(":1883", ":0");
  const folder = await mkdtemp(join(await realpath(tmpdir()), "tstack-example-"));
  context.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "example.mjs");
  await writeFile(file, example);
  const { stdout } = await promisify(execFile)(process.execPath, [file]);
  assert.equal(stdout, "home/heating\n");
});
