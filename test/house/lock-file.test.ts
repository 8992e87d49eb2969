/**
 * The lock file serves every platform: a build for another one that it does not name is refused by `npm ci` of
 * npm 11, on this platform too.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

interface LockEntry {
  optionalDependencies?: Record<string, string>;
}

test("package-lock.json names the builds for every platform", async () => {
  const file = join(import.meta.dirname, "../../package-lock.json");
  const { packages } = JSON.parse(await readFile(file, "utf8")) as {
    packages: Record<string, LockEntry>;
  };
  const wanted = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).map((name) => ({ path, name })),
  );
  assert.ok(wanted.length > 0);
  const missing = wanted.filter(
    ({ path, name }) =>
      packages[`node_modules/${name}`] === undefined &&
      packages[`${path}/node_modules/${name}`] === undefined,
  );
  assert.deepEqual(missing, [], "run `node scripts/complete-lockfile.ts`");
});
