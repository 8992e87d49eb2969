/** The example of `tstack/auth` is the same in its documentation and in docs/authentication.md, and does what it says. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";
import { connectAsync } from "mqtt";

const root = join(import.meta.dirname, "../..");
const toUrl = (path: string) => JSON.stringify(pathToFileURL(join(root, path)).href);

async function readExample(): Promise<string> {
  const source = await readFile(join(root, "src/auth/index.ts"), "utf8");
  const [, block = ""] = /@example\n((?: \*(?: .*)?\n)+)/.exec(source) ?? [];
  return block.replaceAll(/^ \* ?/gm, "");
}

/** On a free port, which it tells. */
async function start(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), "tstack-example-"));
  context.after(() => rm(folder, { recursive: true }));
  const example = (await readExample())
    .replace('"tstack"', toUrl("src/index.ts"))
    .replace('"tstack/auth"', toUrl("src/auth/index.ts"))
    .replace(/^await (broker\.listen\(.*):1883"\);$/m, 'console.log((await $1:0")).url);');
  const file = join(folder, "example.mjs");
  await writeFile(file, example);
  const child = spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "inherit"] });
  context.after(() => child.kill("SIGKILL"));
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return String(line);
}

test("docs/authentication.md shows the example of tstack/auth", async () => {
  const page = await readFile(join(root, "docs/authentication.md"), "utf8");
  const [, block] = /^```ts\n([\s\S]*?)^```$/m.exec(page) ?? [];
  assert.equal(block, await readExample());
});

test("the example of tstack/auth lets Ada in, into her topics only, and nobody else", {
  timeout: 30_000,
}, async (context) => {
  const url = await start(context);
  const logIn = async (username?: string, password?: string) => {
    const options = { username, password, protocolVersion: 5, reconnectPeriod: 0 } as const;
    const client = await connectAsync(url, options);
    context.after(() => client.end(true));
    return client;
  };
  const ada = await logIn("ada", "lovelace");
  const granted = await ada.subscribeAsync("home/#", { qos: 1 });
  assert.equal(granted[0].qos, 1);
  await ada.publishAsync("home/lamp", "on", { qos: 1 });
  await assert.rejects(ada.publishAsync("office/lamp", "on", { qos: 1 }), /Not authorized/);
  await assert.rejects(logIn("ada", "byron"), /Bad User Name or Password/);
  await assert.rejects(logIn("eve", "lovelace"), /Bad User Name or Password/);
  await assert.rejects(logIn(), /Not authorized/);
});
