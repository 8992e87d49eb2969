/**
 * The package as it is published: packed by npm, unpacked where a user's project would have it, its programs run by
 * npx, its library imported and type-checked. The dependencies are linked from this checkout, because a test must
 * not need the network; everything else is what `npm install tstack` would do.
 */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "../..");
const checkedOut = join(root, "node_modules");
const state = { project: "", packed: [] as string[] };

/** In the user's project, with this Node.js first on the PATH; rejects unless the exit code is 0. */
async function runIn(folder: string, program: string, ...parameters: string[]): Promise<string> {
  const path = `${dirname(process.execPath)}${delimiter}${process.env.PATH}`;
  const env = {
    ...process.env,
    PATH: path,
    npm_config_offline: "true",
    npm_config_loglevel: "error",
    // Else a test run would take itself for a part of this one, and write for its parent.
    NODE_TEST_CONTEXT: undefined,
  };
  const { stdout } = await promisify(execFile)(program, parameters, { cwd: folder, env });
  return stdout;
}

before(async () => {
  state.project = await mkdtemp(join(await realpath(tmpdir()), "tstack-package-"));
  const { project } = state;
  const parameters = ["pack", "--json", "--pack-destination", project];
  const answer = await runIn(root, "npm", ...parameters);
  // The build that npm runs first may have spoken before the JSON.
  const [packed] = Object.values(JSON.parse(answer.slice(answer.search(/^[[{]/m)))) as [
    { filename: string; files: { path: string }[] },
  ];
  state.packed = packed.files.map(({ path }) => path);

  const installed = join(project, "node_modules/tstack");
  await mkdir(installed, { recursive: true });
  await runIn(installed, "tar", "-xzf", join(project, packed.filename), "--strip-components=1");
  const manifest = JSON.parse(await readFile(join(installed, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(manifest.dependencies)) {
    const link = join(project, "node_modules", name);
    await mkdir(dirname(link), { recursive: true }); // of @scope/name
    await symlink(join(checkedOut, name), link);
  }
  await writeFile(join(project, "package.json"), '{ "private": true, "type": "module" }\n');
  await runIn(project, "npm", "rebuild", "--ignore-scripts"); // links the programs
});

after(() => rm(state.project, { recursive: true, force: true }));

test("the package holds its build, its programs and its pages, and no tests or sources", () => {
  for (const path of [
    "dist/index.js",
    "dist/index.d.ts",
    "dist/auth/index.js",
    "dist/storage/conformance/index.js",
    "bin/tserve.js",
    "LICENSE",
    "README.md",
    // docs/configuration.md and docs/mapping.md lead there.
    "examples/mapping.yaml",
    "examples/tserve.yaml",
  ]) {
    assert.ok(state.packed.includes(path), path);
  }
  const strange = state.packed.filter((path) =>
    /\.test\.|^(?:src|test|scripts|bench)\/|\/(?:vectors|recording)\b/.test(path),
  );
  assert.deepEqual(strange, []);
});

test("npx runs its programs out of dist/", async () => {
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    version: string;
  };
  const answer = await runIn(state.project, "npx", "--no-install", "tstack", "--version");
  assert.equal(answer, `${version}\n`);
  for (const program of [
    "tserve",
    "tpublish",
    "tsubscribe",
    "tbench",
    "tconsume",
    "tmonitor",
    "tuser",
    "treg",
    "tregister",
  ]) {
    assert.match(await runIn(state.project, "npx", "--no-install", program, "--help"), /^Usage: /);
  }
});

test("its library is imported by name", async () => {
  const source = 'import { createBroker } from "tstack"; console.log(typeof createBroker);';
  const answer = await runIn(state.project, "node", "--input-type=module", "--eval", source);
  assert.equal(answer, "function\n");
});

test("its door for who clients are is imported by name, and the broker's alone brings none of it", async () => {
  const source =
    'import { registerHooks } from "node:module"; const loaded = [];' +
    "registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });" +
    'const ofAuth = () => loaded.filter((url) => url.includes("/dist/auth/")).length;' +
    'await import("tstack"); console.log(ofAuth());' +
    'const { AuthenticatorChain } = await import("tstack/auth"); console.log(typeof AuthenticatorChain, ofAuth() > 0);';
  const answer = await runIn(state.project, "node", "--input-type=module", "--eval", source);
  assert.equal(answer, "0\nfunction true\n");
});

test("its suite for storage engines is imported by name, and tests one", async () => {
  const source =
    'import { testStorage } from "tstack/storage-conformance";' +
    'testStorage("none", async () => { throw new Error("no engine"); });';
  const run = runIn(state.project, "node", "--input-type=module", "--eval", source);
  await assert.rejects(run, ({ stdout }: { stdout: string }) => {
    assert.match(stdout, /none: a session comes back with every field/);
    return true;
  });
});

test("its declarations serve a strict TypeScript project", async () => {
  const { project } = state;
  await mkdir(join(project, "node_modules/@types"), { recursive: true });
  for (const name of ["node", "ws"]) {
    await symlink(join(checkedOut, "@types", name), join(project, "node_modules/@types", name));
  }
  const source =
    'import { createBroker } from "tstack";\nexport const wrong: string = createBroker;\n' +
    'import { testStorage } from "tstack/storage-conformance";\nexport const too: string = testStorage;\n' +
    'import { hashPassword } from "tstack/auth";\nexport const also: string = hashPassword;\n';
  await writeFile(join(project, "use.ts"), source);
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--types", "node"];
  const compile = runIn(project, join(checkedOut, ".bin/tsc"), ...options, "use.ts");
  // The mistakes are there on purpose: a declaration that resolves to nothing would be `any`, and hide them.
  await assert.rejects(compile, ({ stdout }: { stdout: string }) => {
    assert.match(stdout, /^use\.ts\(2,14\): error TS2322/m);
    assert.match(stdout, /^use\.ts\(4,14\): error TS2322/m);
    assert.match(stdout, /^use\.ts\(6,14\): error TS2322/m);
    assert.equal(stdout.trim().split(/\n(?=\S)/).length, 3, stdout);
    return true;
  });
});
