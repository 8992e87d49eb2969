/** docs/authentication.md: its configurations are right, and what it says of users, tokens and services is so. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { Terminal } from "./terminal.ts";

const root = join(import.meta.dirname, "../..");
const run = promisify(execFile);

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** The page's blocks in a folder of their own: files that it shows are there, and so are the programs. */
async function openPage(context: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "tstack-page-"));
  context.after(() => rm(folder, { recursive: true }));
  const page = await readFile(join(root, "docs/authentication.md"), "utf8");
  const text = page.replaceAll("8090", `${await findFreePort()}`);
  const blocks = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, kind, block]) => ({
    kind,
    block,
  }));
  for (const { block } of blocks) {
    const [, name] = /^(?:#|\/\/) ([a-z.]+)\n/.exec(block) ?? [];
    if (name !== undefined) await writeFile(join(folder, name), block);
  }
  await mkdir(join(folder, "bin"));
  for (const program of ["tserve", "tpublish", "tuser"]) {
    await symlink(join(root, `bin/${program}.js`), join(folder, "bin", program));
  }
  const environment: Record<string, string | undefined> = {
    ...process.env,
    PATH: `${join(folder, "bin")}:${dirname(process.execPath)}:${process.env.PATH}`,
    TSTACK_LISTEN: "mqtt://127.0.0.1:0",
  };
  const broker = new Terminal(environment, folder);
  context.after(() => broker.kill());
  const find = (start: string, kind = "sh"): string => {
    const found = blocks.find(({ kind: its, block }) => its === kind && block.startsWith(start));
    assert.ok(found !== undefined, `no block of ${kind} begins with ${start}`);
    return found.block;
  };
  const shell = async (command: string) => {
    environment.TSTACK_BROKER = /mqtt:\/\/127\.0\.0\.1:\d+/.exec(broker.output)?.[0];
    return run("sh", ["-c", command], { cwd: folder, env: environment });
  };
  return { folder, broker, find, shell };
}

test("docs/authentication.md: the chains are a configuration", async (context) => {
  const { folder, find, shell } = await openPage(context);
  await writeFile(join(folder, "chain.yaml"), find("listen:\n  - mqtt:", "yaml"));
  await shell("unset TSTACK_LISTEN; tserve --check-config --config chain.yaml");
});

test("docs/authentication.md: a token brings its rights, and no others", {
  timeout: 50_000,
}, async (context) => {
  const { broker, find, shell } = await openPage(context);
  await broker.run(find("openssl rand"));
  await shell(find("TSTACK_NEW_PASSWORD"));
  const asAda = "TSTACK_PASSWORD=lovelace tpublish -u ada -q 1 -V 5 -m on -t";
  await shell(`${asAda} home/lamp`);
  const { stdout } = await shell(find("b64()"));
  assert.equal(stdout, "published\nrefused\n");
  await assert.rejects(shell(`${asAda} weather/rome`));
  const { stdout: cutOff } = await shell(
    `tuser disable ada; ${find("b64()").replace("on && echo published", "on || echo cut off")}`,
  );
  assert.match(cutOff, /cut off\nrefused\n$/);
});

test("docs/authentication.md: the service decides", { timeout: 50_000 }, async (context) => {
  const { broker, find, shell } = await openPage(context);
  await broker.run(find("node service.mjs"));
  const { stdout } = await shell(find("tpublish -u ada"));
  assert.equal(stdout, "published\nrefused\n");
});
