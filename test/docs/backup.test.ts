/**
 * docs/backup.md does what it says: its commands are run as they stand, in a folder in which tStack is installed, against
 * the real broker on a free port. `page.ts` tells how a page is read.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { readPage, type Step } from "./page.ts";
import { Terminal } from "./terminal.ts";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "tstack-backup-page-"));
mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
for (const program of ["tserve", "tpublish", "tsubscribe", "tstack"]) {
  symlinkSync(join(root, `bin/${program}.js`), join(folder, "node_modules/.bin", program));
}

const environment: Record<string, string | undefined> = {
  ...process.env,
  PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
  npm_config_loglevel: "silent",
  TSTACK_LISTEN: "mqtt://127.0.0.1:0",
};
const broker = new Terminal(environment, folder);
const client = new Terminal(environment, folder);

after(() => {
  broker.kill();
  client.kill();
  rmSync(folder, { recursive: true });
});

async function take(step: Step): Promise<void> {
  const terminal = step.terminal === 1 ? broker : client;
  switch (step.kind) {
    case "command":
      await terminal.run(step.command);
      if (terminal === broker) {
        environment.TSTACK_BROKER = /mqtt:\/\/127\.0\.0\.1:\d+/.exec(terminal.output)?.[0];
      }
      return;
    case "expect":
      return terminal.expect(step.output);
    case "interrupt":
      return terminal.signal("SIGINT");
    case "hangUp":
      return terminal.signal("SIGHUP");
  }
}

test("docs/backup.md does what it says", async () => {
  const sections = readPage(readFileSync(join(root, "docs/backup.md"), "utf8"));
  assert.equal(sections.length, 4);
  for (const { steps } of sections) {
    for (const step of steps) {
      try {
        await take(step);
      } catch (error) {
        throw new Error(`docs/backup.md, line ${step.line}`, { cause: error });
      }
    }
  }
  await client.finish();
});
