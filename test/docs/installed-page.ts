/**
 * Runs the commands of a page as they stand, in a folder in which tStack is installed, against the real broker on a free
 * port: terminal 1 is the broker's. `page.ts` tells how a page is read.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readPage, type Step } from "./page.ts";
import { Terminal } from "./terminal.ts";

const root = join(import.meta.dirname, "../..");

/** Throws where `page` is wrong, with its line. Answers how many sections have commands. */
export async function runPage(page: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "tstack-page-"));
  mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
  for (const program of [
    "tserve",
    "tpublish",
    "tsubscribe",
    "tconsume",
    "tmonitor",
    "tstack",
    "tuser",
  ]) {
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

  const take = async (step: Step): Promise<void> => {
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
  };

  const sections = readPage(readFileSync(join(root, page), "utf8"));
  try {
    for (const step of sections.flatMap(({ steps }) => steps)) {
      await take(step).catch((error: unknown) => {
        throw new Error(`${page}, line ${step.line}`, { cause: error });
      });
    }
    await client.finish();
  } finally {
    broker.kill();
    client.kill();
    rmSync(folder, { recursive: true });
  }
  return sections.filter(({ steps }) => steps.length > 0).length;
}
