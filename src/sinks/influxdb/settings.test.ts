import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import type { SinkValues } from "../sink.ts";
import { influxdbOptions, readInfluxdbSettings } from "./settings.ts";

const read = (values: SinkValues) => readInfluxdbSettings(values);

test("without a word it is InfluxDB 1 on this machine, and its database readings", async () => {
  const settings = await read({});
  assert.equal(settings.destination, "InfluxDB at http://localhost:8086, database readings");
  assert.equal(settings.writeUrl.href, "http://localhost:8086/write?db=readings&precision=u");
  assert.deepEqual(settings.headers, {});
  assert.equal(settings.creation?.form, "q=CREATE+DATABASE+%22readings%22");
});

test("the path and the port of the URL stay, and names may be any", async () => {
  const settings = await read({
    "influxdb-url": "https://db.example:1234/below/",
    "influxdb-database": 'a&b "c"',
    "influxdb-retention-policy": "two weeks",
    "influxdb-user": "ada",
    "influxdb-password": "p:w",
  });
  assert.equal(
    settings.writeUrl.href,
    "https://db.example:1234/below/write?db=a%26b+%22c%22&rp=two+weeks&precision=u",
  );
  assert.equal(settings.headers.authorization, `Basic ${btoa("ada:p:w")}`);
  assert.equal(
    new URLSearchParams(settings.creation?.form).get("q"),
    'CREATE DATABASE "a&b \\"c\\""',
  );
});

test("secrets come out of files", async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), "influxdb-settings-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, "secret");
  await writeFile(file, "s3cret\n");
  const two = { "influxdb-bucket": "b", "influxdb-token-file": file };
  const settings = await read(two);
  assert.equal(settings.headers.authorization, "Token s3cret");
  const three = await read({ "influxdb-token-file": file });
  assert.equal(three.headers.authorization, "Bearer s3cret");
});

for (const [values, message] of [
  [{ "influxdb-url": "localhost:8086" }, /^--influxdb-url is a URL that begins with http:\/\/ or /],
  [
    { "influxdb-url": "http://a:secret@b" },
    /^--influxdb-url is a URL without user and password: there are options for them$/,
  ],
  [{ "influxdb-org": "o" }, /^--influxdb-bucket is needed with --influxdb-org$/],
  [{ "influxdb-user": "o" }, /^--influxdb-user is only together with --influxdb-password-file$/],
  [{ "influxdb-password": "secret" }, /^--influxdb-user is only together/],
  [{ "influxdb-user": "a:b", "influxdb-password": "secret" }, /a name without a colon, not "a:b"$/],
  [
    { "influxdb-bucket": "b", "influxdb-database": "d" },
    /^--influxdb-database is for InfluxDB 1, and not together with --influxdb-bucket$/,
  ],
  [
    { "influxdb-token": "secret", "influxdb-user": "u" },
    /^--influxdb-user is for InfluxDB 1, and not together with --influxdb-token$/,
  ],
  [{ "influxdb-token": "secret\r\nX: y" }, /^--influxdb-token is of ASCII characters without/],
  [{ "influxdb-database": "" }, /^--influxdb-database is not empty$/],
  [{ "influxdb-cafile": "/no/such/file" }, /^--influxdb-cafile cannot be read: ENOENT/],
] as const) {
  test(`a mistake is told: ${JSON.stringify(values)}`, async () => {
    await assert.rejects(read(values), (error: Error & { code?: string }) => {
      assert.equal(error.code, "CONFIGURATION_INVALID");
      assert.match(error.message, message);
      assert.ok(!error.message.includes("secret"));
      return true;
    });
  });
}

test("every secret has a variable of the environment and an option for a file", () => {
  const flags = influxdbOptions.map(({ flags }) => flags);
  for (const { flags: option, environment } of influxdbOptions) {
    if (!/^--influxdb-(password|token) /.test(option)) continue;
    assert.match(environment ?? "", /^TSTACK_INFLUXDB_[A-Z]+$/);
    assert.ok(flags.includes(`${option.split(" ")[0]}-file <file>`), option);
  }
});
