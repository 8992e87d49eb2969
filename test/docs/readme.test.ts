/** The README's first screen: its second command starts a broker, and the two below it talk through that broker. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { Terminal } from "./terminal.ts";

const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
const [first = "", second = ""] = Array.from(
  readme.matchAll(/^```sh\n([\s\S]*?)```$/gm),
  ([, block = ""]) => block.trim(),
);
const data = mkdtempSync(join(tmpdir(), "tstack-readme-"));
const environment: Record<string, string | undefined> = {
  ...process.env,
  PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
  npm_config_loglevel: "silent",
  TSTACK_LISTEN: "mqtt://127.0.0.1:0",
  TSTACK_DATA: data,
};
const broker = new Terminal(environment);
const client = new Terminal(environment);

after(() => {
  broker.kill();
  client.kill();
  rmSync(data, { recursive: true });
});

test("the README's first screen does what it says", async () => {
  // npm ci has run, or there would be no test.
  assert.equal(first, "npm ci && npm start");
  await broker.run("npm start");
  environment.TSTACK_BROKER = /mqtt:\/\/127\.0\.0\.1:\d+/.exec(broker.output)?.[0];

  const [publish = "", subscribe = "", ...more] = second.split("\n");
  assert.deepEqual(more, []);
  await client.run(publish);
  await client.run(subscribe);
  await client.expect("hello world\n");
  await client.finish();
  await broker.signal("SIGINT");
});
