/**
 * docs/mqtt.md does what it says: its commands are run as they stand, with the real programs, against the real broker
 * on a free port. `page.ts` tells how a page is read.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { readPage, type Step } from "./page.ts";
import { Terminal } from "./terminal.ts";

const root = join(import.meta.dirname, "../..");
const pageUrl = "mqtt://127.0.0.1:1883";
const sections = readPage(readFileSync(join(root, "docs/mqtt.md"), "utf8"));

const terminals = new Map<number, Terminal>();
const data = mkdtempSync(join(tmpdir(), "tstack-page-"));
/** Shared by all terminals: tells the programs the free port that the page does not know. */
const environment: Record<string, string | undefined> = {
  ...process.env,
  PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
  npm_config_loglevel: "silent",
  TSTACK_LISTEN: "mqtt://127.0.0.1:0",
  TSTACK_DATA: data,
};

after(() => {
  for (const terminal of terminals.values()) terminal.kill();
  rmSync(data, { recursive: true });
});

/** Leaves the broker, so that a mistake in one section is told once. */
function closeClients(): void {
  for (const [number, terminal] of terminals) {
    if (number === 1) continue;
    terminal.kill();
    terminals.delete(number);
  }
}

function openTerminal(number: number): Terminal {
  const terminal = terminals.get(number) ?? new Terminal(environment);
  terminals.set(number, terminal);
  return terminal;
}

async function take(step: Step): Promise<void> {
  const terminal = openTerminal(step.terminal);
  switch (step.kind) {
    case "command":
      await terminal.run(step.command);
      environment.TSTACK_BROKER ??= /mqtt:\/\/127\.0\.0\.1:\d+/.exec(terminal.output)?.[0];
      return;
    case "expect":
      return terminal.expect(step.output.replaceAll(pageUrl, environment.TSTACK_BROKER ?? pageUrl));
    case "interrupt":
      return terminal.signal("SIGINT");
    case "hangUp":
      return terminal.signal("SIGHUP");
  }
}

test("the page has the sections that a newcomer needs", () => {
  const headings = sections.map(({ heading }) => heading).join("\n");
  for (const word of ["Topics", "Retained", "will", "Quality", "Sessions"]) {
    assert.match(headings, new RegExp(word));
  }
});

for (const { heading, steps } of sections) {
  test(heading, async () => {
    for (const step of steps) {
      try {
        await take(step);
      } catch (error) {
        closeClients();
        throw new Error(`docs/mqtt.md, line ${step.line}`, { cause: error });
      }
    }
  });
}

test("every command has ended", async () => {
  for (const terminal of terminals.values()) await terminal.finish();
});
