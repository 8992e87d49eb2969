/** What is told about the configuration says what the code does: schema, page, example. */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import {
  renderConfigurationPage,
  renderConfigurationSchema,
} from "../../scripts/write-config-schema.ts";
import { loadConfiguration } from "../../src/cli/serve/configuration.ts";
import { listSettings } from "../../src/cli/serve/configuration-environment.ts";

const root = join(import.meta.dirname, "../..");
const remedy = "is out of date: run `npm run format`";

test("docs/tserve.schema.json is the schema of the configuration", async () => {
  const text = await readFile(join(root, "docs/tserve.schema.json"), "utf8");
  assert.equal(text, await renderConfigurationSchema(), `docs/tserve.schema.json ${remedy}`);
});

test("docs/configuration.md lists exactly the keys of the configuration", async () => {
  const page = await readFile(join(root, "docs/configuration.md"), "utf8");
  assert.equal(page, renderConfigurationPage(page), `docs/configuration.md ${remedy}`);
});

test("the rights shown in docs/configuration.md do what is said of them", async () => {
  const page = await readFile(join(root, "docs/configuration.md"), "utf8");
  const example = /```yaml\nrights:\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
  assert.equal(parse(example).length, 4);
  const users = JSON.stringify([{ name: "a", password: "x", rights: parse(example) }]);
  const { RightsAuthorizer, UserDirectory } = await import("../../src/auth/index.ts");
  const configured = loadConfiguration({ environment: { TSTACK_USERS: users }, flags: [] }).users;
  const rights = new RightsAuthorizer(new UserDirectory({ configured, records: [] }));
  const client = {
    clientIdentifier: "c",
    userName: "a",
    protocolVersion: 5,
    remoteAddress: "127.0.0.1:1",
    listener: "mqtt://127.0.0.1:1883",
  } as const;
  const ask = (topic: string) =>
    rights.authorize({ client, action: "subscribe", topic, qos: 0, retain: false }).allowed;
  assert.deepEqual(["home/#", "home/alarm/+", "home/lamp/#"].map(ask), [false, false, true]);
});

test("examples/tserve.yaml has no mistakes and no warnings", () => {
  const file = join(root, "examples/tserve.yaml");
  const { warnings, users } = loadConfiguration({ file, environment: {}, flags: [] });
  assert.deepEqual(warnings, []);
  assert.equal(users.length, 3);
});

test("examples/tserve.yaml has every part, and no mistake when all of it is used", async () => {
  const text = await readFile(join(root, "examples/tserve.yaml"), "utf8");
  const whole = text.replaceAll(/^( *)#~ /gm, "$1");
  const folder = await mkdtemp(join(tmpdir(), "tserve-example-"));
  try {
    for (const file of whole.matchAll(/\b((?:certificates|secrets)\/[\w.-]+)/g)) {
      await mkdir(dirname(join(folder, file[1])), { recursive: true });
      await writeFile(join(folder, file[1]), "");
    }
    const file = join(folder, "tserve.yaml");
    await writeFile(file, whole);
    const { warnings, listeners } = loadConfiguration({ file, environment: {}, flags: [] });
    assert.deepEqual(warnings, []);
    assert.equal(listeners.length, 6);
  } finally {
    await rm(folder, { recursive: true });
  }
  const keys = listSettings().map(({ path }) => path[0]);
  assert.deepEqual(new Set(Object.keys(parse(whole))), new Set(keys), "a key is missing");
  const listenerKeys = listSettings().flatMap(({ path }) =>
    path[1] === "*" && path[0] === "listen" ? path[2] : [],
  );
  const shown = parse(whole).listen.flatMap((entry: object) => Object.keys(entry));
  for (const key of listenerKeys) assert.ok(shown.includes(key), `listen: ${key} is missing`);
});
