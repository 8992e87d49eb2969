/**
 * Breaks every border between the folders once, in a copy of the house with the same biome.json, and sees the
 * linter refuse it; and sees it let through what must be allowed. Guards against a pattern that matches nothing.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "../..");
const biome = join(root, "node_modules/.bin/biome");

/** A line of code that must be refused in a folder; the file's name is made from the list's index. */
const refused: [folder: string, source: string][] = [
  ["src/base", 'import { randomBytes as a } from "node:crypto";'],
  ["src/base", 'import { a } from "../codec/index.ts";'],
  ["src/base", 'import { a } from "zod";'],
  ["src/codec", 'import { a } from "../broker/index.ts";'],
  ["src/codec", 'import { a } from "../topics/index.ts";'],
  ["src/codec", 'import { a } from "../base/errors.ts";'],
  ["src/codec", 'import a from "node:fs";'],
  ["src/codec", 'import a from "mqtt";'],
  ["src/topics", 'import { a } from "../codec/index.ts";'],
  ["src/topics", "const a = setTimeout(() => {}, 1);"],
  ["src/topics", "const a = Date.now();"],
  ["src/broker", 'import a from "node:net";'],
  ["src/broker", 'import a from "node:timers";'],
  ["src/broker", 'import { a } from "../listeners/index.ts";'],
  ["src/broker", 'import { a } from "../auth/index.ts";'],
  ["src/broker", 'import { a } from "../storage/index.ts";'],
  ["src/broker", 'import { a } from "../codec/publish.ts";'],
  ["src/broker", 'import a from "ws";'],
  ["src/broker", "const a = setInterval(() => {}, 1);"],
  ["src/broker", "const a = performance.now();"],
  ["src/broker", "const a = process.pid;"],
  ["src/broker", 'const a = console.log("x");'],
  ["src/broker/handlers", 'import { a } from "../../listeners/index.ts";'],
  ["src/broker/handlers", 'import { a } from "../../codec/publish.ts";'],
  ["src/listeners", 'import { a } from "../auth/index.ts";'],
  ["src/listeners", 'import { a } from "../broker/session.ts";'],
  ["src/listeners", 'import { a } from "../cli/index.ts";'],
  ["src/auth", 'import { a } from "../listeners/index.ts";'],
  ["src/auth", "const a = process.env;"],
  ["src/storage/sqlite", 'import { a } from "../../auth/index.ts";'],
  ["src/sinks", 'import { a } from "../cli/index.ts";'],
  ["src/sinks/graphite", 'import { a } from "../../storage/index.ts";'],
  ["src/sinks/graphite", 'import { a } from "../influxdb/format.ts";'],
  ["src/sinks/graphite", "const a = process.env;"],
  ["src/readings", 'import { a } from "../sinks/index.ts";'],
  ["src/readings", 'import a from "node:fs";'],
  ["src/readings", "const a = setTimeout(() => {}, 1);"],
  ["src/admin", 'import { a } from "../listeners/index.ts";'],
  ["src", 'import { a } from "./cli/tserve.ts";'],
  ["src/cli", 'import { a } from "../broker/session.ts";'],
  ["web", 'import { a } from "../src/broker/index.ts";'],
  ["web/pages", 'import a from "node:fs";'],
];

const allowed: [folder: string, source: string][] = [
  ["src/base", 'import { a } from "./errors.ts";'],
  ["src/codec", 'import { a } from "../base/index.ts";'],
  ["src/codec/vectors", 'import { a } from "../publish.ts";'],
  ["src/topics", 'import { a } from "./filter.ts";'],
  ["src/broker", 'import { a } from "../codec/index.ts";'],
  ["src/broker", 'import { a } from "../topics/index.ts";'],
  ["src/broker/handlers", 'import { a } from "../../base/index.ts";'],
  ["src/broker/handlers", 'import { a } from "../session.ts";'],
  ["src/listeners", 'import type { a } from "../broker/ports.ts";'],
  ["src/listeners", 'import a from "node:net";'],
  ["src/listeners", 'import a from "ws";'],
  ["src/auth", 'import { a } from "../topics/index.ts";'],
  ["src/storage/sqlite", 'import type { a } from "../../broker/ports.ts";'],
  ["src/sinks/graphite", 'import { a } from "../sink.ts";'],
  ["src/sinks/graphite", 'import { a } from "../../readings/index.ts";'],
  ["src/readings", 'import { a } from "../topics/index.ts";'],
  ["src", 'import { a } from "./broker/index.ts";'],
  ["src/cli", 'import { a } from "../listeners/index.ts";'],
  ["src/cli/serve", "const a = process.env;"],
  ["web/pages", 'import type { a } from "../../src/admin/api-types.ts";'],
];

/** Only these rules hold borders: another one's complaint about such a file proves nothing. */
const border =
  /title=lint\/\w+\/(?:noRestrictedImports|noRestrictedGlobals|noProcessEnv|noConsole),file=([^,]+),/g;

/** Writes one file for each case and returns those, by folder and source, that a border rule refuses. */
async function lint(cases: [folder: string, source: string][]): Promise<string[]> {
  const house = await mkdtemp(join(await realpath(tmpdir()), "tstack-borders-"));
  try {
    await copyFile(join(root, "biome.json"), join(house, "biome.json"));
    const caseOf = new Map<string, string>();
    for (const [index, [folder, source]] of cases.entries()) {
      const file = join(house, folder, `case-${index}.ts`);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, `${source}\n`);
      caseOf.set(file, `${folder}: ${source}`);
    }
    const output = await promisify(execFile)(
      biome,
      ["lint", "--reporter=github", "--max-diagnostics=none"],
      { cwd: house },
    ).then(
      ({ stdout }) => stdout,
      (failure: { stdout: string }) => failure.stdout,
    );
    const files = new Set(Array.from(output.matchAll(border), ([, file = ""]) => file));
    return [...files].map((file) => caseOf.get(file) ?? file);
  } finally {
    await rm(house, { recursive: true });
  }
}

test("the linter refuses every import and global that crosses a border", async () => {
  const found = await lint(refused);
  const missed = refused.map(([folder, source]) => `${folder}: ${source}`);
  assert.deepEqual(
    missed.filter((name) => !found.includes(name)),
    [],
  );
});

test("the linter lets through what the borders allow", async () => {
  assert.deepEqual(await lint(allowed), []);
});
