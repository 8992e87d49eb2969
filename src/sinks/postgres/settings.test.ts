import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { rootCertificates } from "node:tls";
import { readPostgresSettings } from "./settings.ts";

const read = (url: string, more: Readonly<Record<string, string>> = {}) =>
  readPostgresSettings({ "postgres-url": url, ...more });

test("a URL says where, and people are told without the password", async () => {
  const settings = await read("postgres://ada:geheim@db.example.com:5433/home");
  assert.equal(settings.destination, "PostgreSQL at db.example.com:5433/home, table readings");
  assert.equal(settings.user, "ada");
  assert.equal(settings.tls.mode, "prefer");
});

test("hosts may be several, IPv6 or a folder of sockets", async () => {
  const { addresses } = await read("postgresql://u@one:1,two:2/d");
  assert.deepEqual(addresses, [
    { host: "one", port: 1 },
    { host: "two", port: 2 },
  ]);
  const six = await read("postgres://u:p@[2001:db8::1]:5434/d");
  assert.deepEqual(six.addresses, [{ host: "2001:db8::1", port: 5434 }]);
  assert.match(six.destination, /at \[2001:db8::1\]:5434\/d, table/);
  const socket = await read("postgres:///d?host=/run/postgresql");
  assert.deepEqual(socket.addresses, [{ path: "/run/postgresql/.s.PGSQL.5432" }]);
});

test("the password of the URL is before PGPASSWORD", async () => {
  assert.equal(
    (await read("postgres://u:p@h/d", { "postgres-password": "q" })).password,
    undefined,
  );
  assert.equal((await read("postgres://u@h/d", { "postgres-password": "q" })).password, "q");
});

test("sslmode and its files are as libpq has them", async () => {
  const folder = mkdtempSync(join(tmpdir(), "postgres-settings-"));
  const ca = join(folder, "ca.crt");
  writeFileSync(ca, rootCertificates[0]);
  try {
    const modeOf = async (search: string) => (await read(`postgres://u@h/d?${search}`)).tls.mode;
    assert.equal(await modeOf("sslmode=disable"), "disable");
    assert.equal(await modeOf("sslmode=require"), "require");
    assert.equal(await modeOf(`sslmode=require&sslrootcert=${ca}`), "verify-ca");
    assert.equal(await modeOf(`sslrootcert=${ca}`), "verify-full");
    assert.equal(await modeOf("sslrootcert=system"), "verify-full");
    const { tls, url } = await read(`postgres://u@h/d?sslrootcert=${ca}&options=x`);
    assert.equal(tls.ca, rootCertificates[0]);
    assert.equal(url, "postgres://u@h/d?options=x", "the server is not told of files");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("mistakes name the option, and never repeat a password", async () => {
  const mistakes: readonly [string, Readonly<Record<string, string>>, RegExp][] = [
    ["mysql://u:geheim@h/d", {}, /^--postgres-url is a URL such as postgres:/],
    ["postgres://u:geheim@h:99999/d", {}, /^--postgres-url is a URL such as postgres:/],
    ["postgres://u:gehe#im@h/d", {}, /^--postgres-url is a URL such as postgres:/],
    ["postgres://u:geheim@h/d?sslmode=on", {}, /^--postgres-url is a URL whose sslmode is one of/],
    ["postgres://u@h/d?sslcert=/nowhere", {}, /^--postgres-url: sslcert cannot be read/],
    ["postgres://u@h/d", { "postgres-table": 'x"; drop' }, /^--postgres-table is a name of at/],
  ];
  for (const [url, more, words] of mistakes) {
    await assert.rejects(read(url, more), (error: Error) => {
      assert.match(error.message, words);
      assert.doesNotMatch(`${error.stack} ${error.cause}`, /gehe/);
      return true;
    });
  }
});
