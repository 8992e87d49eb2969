import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { rootCertificates } from "node:tls";
import {
  parseBytes,
  parseSeconds,
  readBytes,
  readCaFile,
  readChoice,
  readPort,
  readSeconds,
  readSecret,
  readSwitch,
  readText,
  readUrl,
} from "./setting-values.ts";

const mistake = (message: string) => ({ code: "CONFIGURATION_INVALID", message });

test("what is not said is what stands for it, and what is said is read", () => {
  assert.equal(readPort({}, "p", 2003), 2003);
  assert.equal(readPort({ p: "1" }, "p", 2003), 1);
  assert.equal(readText({}, "t", undefined), undefined);
  assert.equal(readText({ t: "x" }, "t", "y"), "x");
  assert.equal(readSwitch({}, "s"), false);
  assert.equal(readSwitch({ s: "true" }, "s"), true);
  assert.equal(readSeconds({ s: "1.5m" }, "s", 1), 90);
  assert.equal(readSeconds({}, "s", undefined), undefined);
  assert.equal(readBytes({ b: "2GB" }, "b", 1), 2_000_000_000);
  const words = { choices: ["text", "csv"], otherwise: "text" } as const;
  assert.equal(readChoice({}, "c", words), "text");
  assert.equal(readChoice({ c: "csv" }, "c", words), "csv");
});

test("times and sizes have units", () => {
  const times = ["0", "30", "30s", "15m", "12h", "7d", "7w", "", "-1", "1e3", "9999999d"];
  const seconds = [0, 30, 30, 900, 43_200, 604_800, ...Array(5).fill(undefined)];
  assert.deepEqual(times.map(parseSeconds), seconds);
  const sizes = ["10", "1k", "1.5 kB", "100MB", "1g", "1TB", "", "x", "9".repeat(30)];
  const bytes = [10, 1000, 1500, 100_000_000, 1_000_000_000, ...Array(4).fill(undefined)];
  assert.deepEqual(sizes.map(parseBytes), bytes);
});

test("a mistake names the option, what belongs there and what was written", () => {
  for (const text of ["0", "65536", "-1", "1.5", "x", ""]) {
    const message = `--p is a number from 1 to 65535, not "${text}"`;
    assert.throws(() => readPort({ p: text }, "p", 1), mistake(message));
  }
  assert.throws(
    () => readChoice({ c: "xml" }, "c", { choices: ["text", "csv", "json"], otherwise: "csv" }),
    mistake('--c is text, csv or json, not "xml"'),
  );
  assert.throws(() => readText({ t: "" }, "t", "y"), mistake("--t is not empty"));
  assert.throws(() => readSwitch({ s: "1" }, "s"), /--s is a switch/);
  assert.throws(() => readSeconds({ s: "soon" }, "s", 1), /--s is a time such as .*, not "soon"/);
  assert.throws(() => readBytes({ b: "much" }, "b", 1), /--b is a size such as .*, not "much"/);
});

test("a URL has one of the protocols, and its password is not repeated", () => {
  const web = { protocols: ["http:", "https:"] };
  assert.equal(readUrl({ u: "https://a/b" }, "u", web).host, "a");
  assert.equal(readUrl({}, "u", { ...web, otherwise: "http://c" }).host, "c");
  const expected = "a URL that begins with http:// or https://";
  assert.throws(() => readUrl({}, "u", web), mistake(`--u is needed: ${expected}`));
  assert.throws(() => readUrl({ u: "a" }, "u", web), mistake(`--u is ${expected}, not "a"`));
  const secret = "ftp://somebody:secret@host";
  for (const text of [secret, "ftp://host/?token=secret"]) {
    assert.throws(() => readUrl({ u: text }, "u", web), mistake(`--u is ${expected}`));
  }
});

test("a secret is said or stands in a file, not both", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "tstack-settings-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "token");
  await writeFile(file, "from the file\r\nsecond line\n");
  assert.equal(await readSecret({}, "token"), undefined);
  assert.equal(await readSecret({ token: "said" }, "token"), "said");
  assert.equal(await readSecret({ "token-file": file }, "token"), "from the file");
  await assert.rejects(
    readSecret({ token: "said", "token-file": file }, "token"),
    mistake("--token-file is not together with --token or its variable"),
  );
  await assert.rejects(
    readSecret({ "token-file": folder }, "token"),
    /--token-file cannot be read/,
  );
  await writeFile(file, "\n");
  await assert.rejects(readSecret({ "token-file": file }, "token"), /it is empty/);
});

test("a file without a certificate is a mistake, and not none at all", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "tstack-settings-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "ca.crt");
  for (const text of [
    "",
    "garbage",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
  ]) {
    await writeFile(file, text);
    await assert.rejects(
      readCaFile({ cafile: file }, "cafile"),
      mistake(`--cafile is a file that begins with a certificate in PEM form, not "${file}"`),
    );
  }
  await writeFile(file, rootCertificates.slice(0, 2).join("\n"));
  assert.match((await readCaFile({ cafile: file }, "cafile")) ?? "", /BEGIN CERTIFICATE/);
  assert.equal(await readCaFile({}, "cafile"), undefined);
});
