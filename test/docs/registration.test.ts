/** docs/registration.md does what it says, on ports that are free. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { readPage } from "./page.ts";
import { Terminal } from "./terminal.ts";

const root = join(import.meta.dirname, "../..");
const programs = ["tserve", "tpublish", "tstack", "treg", "tregister", "tuser"];

async function findFreePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return String(port);
}

/** Each terminal of the page is one of its own. */
async function followPage(page: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "tstack-page-"));
  mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
  for (const program of programs) {
    symlinkSync(join(root, `bin/${program}.js`), join(folder, "node_modules/.bin", program));
  }
  const environment = {
    ...process.env,
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    npm_config_loglevel: "silent",
  };
  const ports = new Map([
    ["8883", await findFreePort()],
    ["8443", await findFreePort()],
  ]);
  const adapt = (text: string) => text.replace(/\b8883|8443\b/g, (port) => ports.get(port) ?? port);
  const terminals = [1, 2, 3].map(() => new Terminal(environment, folder));
  try {
    for (const step of readPage(readFileSync(join(root, page), "utf8")).flatMap(
      ({ steps }) => steps,
    )) {
      const terminal = terminals[step.terminal - 1];
      if (step.kind === "command") await terminal.run(adapt(step.command));
      else if (step.kind === "expect") await terminal.expect(adapt(step.output));
      else await terminal.signal("SIGINT");
    }
    for (const terminal of terminals) await terminal.finish();
  } finally {
    for (const terminal of terminals) terminal.kill();
    rmSync(folder, { recursive: true });
  }
}

test("docs/registration.md does what it says", async () => {
  await assert.doesNotReject(followPage("docs/registration.md"));
});
