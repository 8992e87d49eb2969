/** A program that is killed while it writes to a file: what counted as written is there, and the next one goes on. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { MessageMaker } from "../../src/sinks/conformance/messages.ts";
import { readCsvValues } from "./csv-values.ts";
import { FileFolder } from "./file-folder.ts";
import { readJsonValues } from "./json-values.ts";

/** Writes for ever, and says of each batch how many numbers were written. */
const program = `
  import { fileSink } from "./src/sinks/file/index.ts";
  import { MessageMaker } from "./src/sinks/conformance/messages.ts";
  const sink = await (await fileSink.configure({ "file-path": process.argv[1] })).open({ say() {} });
  const maker = new MessageMaker();
  for (let written = 0; ; ) {
    written += await sink.write(maker.numbers(50));
    console.log(written);
  }`;

for (const name of ["readings.csv", "readings.jsonl"]) {
  test(`what was written to ${name} is there after SIGKILL, and only whole records`, async (t) => {
    const files = await FileFolder.make(t);
    const child = spawn(
      process.execPath,
      ["--input-type=module", "--eval", program, files.path(name)],
      { cwd: join(import.meta.dirname, "../.."), stdio: ["ignore", "pipe", "inherit"] },
    );
    let written = 0;
    for await (const line of createInterface(child.stdout)) {
      written = Number(line);
      if (written === 1000) child.kill("SIGKILL");
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    assert.ok(written >= 1000);
    const sink = await files.open(name);
    const [last] = new MessageMaker().numbers(1);
    await sink.write([last]);
    await sink.close();
    const text = files.read(name);
    const values = name.endsWith("csv")
      ? readCsvValues(text)
      : text.split("\n").slice(0, -1).flatMap(readJsonValues);
    const numbers = values.map(({ value }) => value);
    assert.equal(numbers.pop(), 0.5, "the next program's");
    assert.ok(numbers.length >= written, `${numbers.length} of ${written}`);
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => index + 0.5),
    );
  });
}
