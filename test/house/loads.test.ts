/** What programs load when they start: who does not need a large library does not wait for it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { execPath } from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const hook = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from "node:module";
  const packages = new Set();
  registerHooks({
    load(url, context, next) {
      packages.add(/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1]);
      return next(url, context);
    },
  });
  process.on("exit", () => process.stderr.write([...packages].join(" ")));
`)}`;

async function loadedBy(program: string, args: readonly string[]): Promise<string[]> {
  const file = fileURLToPath(new URL(`../../src/cli/${program}.ts`, import.meta.url));
  const ran = await promisify(execFile)(execPath, ["--import", hook, file, ...args]);
  return ran.stderr.split(" ");
}

const neverByClients = ["fastify", "jose", "bcrypt", "@mongodb-js/saslprep", "@peculiar/x509"];
for (const [program, without] of [
  ["tpublish", [...neverByClients, "zod", "yaml", "pino", "ws"]],
  ["tsubscribe", [...neverByClients, "zod", "yaml", "pino", "ws"]],
  ["tconsume", [...neverByClients, "zod", "yaml", "pino", "prom-client", "postgres"]],
  ["tmonitor", [...neverByClients, "zod", "yaml", "pino", "systeminformation", "ws"]],
  ["tserve", [...neverByClients, "mqtt"]],
  ["tuser", ["jose", "bcrypt", "@mongodb-js/saslprep", "@peculiar/x509"]],
  ["tregister", [...neverByClients, "pino"]],
  ["tstack", [...neverByClients, "zod", "mqtt", "pino"]],
] as const) {
  test(`${program} starts without ${without.join(", ")}`, async () => {
    const loaded = await loadedBy(program, ["--version"]);
    assert.deepEqual(
      without.filter((name) => loaded.includes(name)),
      [],
    );
    assert.ok(program === "tstack" || loaded.includes("commander"), "the hook sees what is loaded");
  });
}
