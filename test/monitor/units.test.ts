/** Units of systemd, with a `systemctl` that says what a test wants: few machines that run tests were started by systemd. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, test } from "node:test";
import { readUnitName, UnitSource } from "../../src/cli/monitor/unit-source.ts";

const never = new AbortController().signal;
const state = { folder: "", path: process.env.PATH };

before(() => {
  state.folder = mkdtempSync(join(tmpdir(), "tmonitor-"));
  process.env.PATH = `${state.folder}${delimiter}${state.path}`;
});
after(() => {
  process.env.PATH = state.path;
  rmSync(state.folder, { recursive: true });
});

/** From now on `systemctl` notes its arguments and prints `output`. */
function answer(output: string): void {
  const file = join(state.folder, "systemctl");
  writeFileSync(join(state.folder, "output"), output);
  writeFileSync(
    file,
    `#!/bin/sh\nprintf '%s\\n' "$@" > '${state.folder}/asked'\ncat '${state.folder}/output'\n`,
  );
  chmodSync(file, 0o755);
}

test("each unit: active, restarts, memory, and its share of a core since the last look", async () => {
  let now = 0;
  const units = ["nginx.service", "gone.service", "x@a\\x2db.timer"];
  const source = new UnitSource(units, () => now, never);
  const output = (nanoseconds: number) => `NRestarts=2
MemoryCurrent=5242880
CPUUsageNSec=${nanoseconds}
ActiveState=active

NRestarts=0
MemoryCurrent=[not set]
CPUUsageNSec=18446744073709551615
ActiveState=inactive

ActiveState=activating
`;
  answer(output(1_000_000_000));
  await source.read();
  now = 10;
  answer(output(3_500_000_000));
  const figures = (await source.read()).map(({ path, kind, value }) => [path, kind, value]);
  assert.deepEqual(figures, [
    ["units/nginx.service/active", "running", 1],
    ["units/nginx.service/restarts", "total", 2],
    ["units/nginx.service/memory", "bytes", 5_242_880],
    ["units/nginx.service/cpu", "percent", 25],
    ["units/gone.service/active", "running", 0],
    ["units/gone.service/restarts", "total", 0],
    ["units/x@a-x2db.timer/active", "running", 0],
  ]);
  const asked = readFileSync(join(state.folder, "asked"), "utf8").trim().split("\n");
  assert.deepEqual(asked.slice(-4), ["--", ...units]);
  assert.equal(asked[0], "show");
});

test("without systemd it is told why", async () => {
  writeFileSync(join(state.folder, "systemctl"), "#!/bin/sh\necho 'not booted' >&2\nexit 1\n");
  const source = new UnitSource(["a.service"], () => 0, never);
  await assert.rejects(source.read(), /ended with 1: "not booted"/);
});

test("names of units are names of units, and no options of systemctl", () => {
  assert.equal(readUnitName("nginx"), "nginx.service");
  assert.equal(readUnitName("a-b@c.timer"), "a-b@c.timer");
  for (const name of [
    "",
    "-H",
    "--root=/x",
    "a b",
    "a/b",
    "a;b",
    "a\nb",
    "a*",
    `${"a".repeat(256)}`,
  ]) {
    assert.throws(() => readUnitName(name), /--unit takes the name of a unit/, name);
  }
});
