/** What is told about the configuration says what the code does: schema, page, example. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
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

test("examples/tserve.yaml has no mistakes, no warnings, and every part", async () => {
  const file = join(root, "examples/tserve.yaml");
  const { warnings, users } = loadConfiguration({ file, environment: {}, flags: [] });
  assert.deepEqual(warnings, []);
  assert.equal(users.length, 3);
  const keys = Object.keys(parse(await readFile(file, "utf8")));
  assert.deepEqual(
    new Set(keys),
    new Set(listSettings().map(({ path }) => path[0])),
    "a key is missing",
  );
});
