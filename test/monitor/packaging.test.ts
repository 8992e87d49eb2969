/** The units in packaging/, as systemd's own tools see them; skipped where there are none. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const packaging = join(import.meta.dirname, "../../packaging/systemd");
const analyze = (...args: readonly string[]) =>
  spawnSync("systemd-analyze", args, { encoding: "utf8", timeout: 30_000 });
const version = Number(/systemd (\d+)/.exec(analyze("--version").stdout ?? "")?.[1] ?? 0);
// `security --offline` is that old.
const skip = version < 250 && "systemd-analyze 250 or newer is not installed";
const units = readdirSync(packaging).filter((file) => file.endsWith(".service"));

test("there are units for tserve, tconsume and tmonitor, each of which starts its program", () => {
  assert.deepEqual(units.sort(), ["tconsume.service", "tmonitor.service", "tserve.service"]);
  for (const unit of units) {
    const program = unit.replace(".service", "");
    assert.match(
      readFileSync(join(packaging, unit), "utf8"),
      new RegExp(`^ExecStart=${program} `, "m"),
    );
  }
});

for (const unit of units) {
  test(`systemd-analyze finds no fault in ${unit}, and little that it could harm`, {
    skip,
  }, (context) => {
    const folder = mkdtempSync(join(tmpdir(), "tstack-units-"));
    context.after(() => rmSync(folder, { recursive: true }));
    const text = readFileSync(join(packaging, unit), "utf8");
    // The programs are not installed where tests run, and systemd wants them to be.
    const file = join(folder, unit);
    writeFileSync(file, text.replace(/^ExecStart=\w+/m, `ExecStart=${process.execPath}`));
    const verified = analyze("verify", "--man=no", file);
    const lines = verified.stderr.split("\n").filter((line) => line.includes(unit));
    assert.deepEqual([lines, verified.status], [[], 0]);
    // Out of 100; a unit without any hardening has 96.
    const judged = analyze("security", "--offline=true", "--threshold=25", "--no-pager", file);
    assert.equal(judged.status, 0, judged.stdout);
  });
}

test("the options of each .env are those of its program", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "tstack-options-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const files = readdirSync(packaging).filter((file) => file.endsWith(".env"));
  assert.deepEqual(files.sort(), ["tconsume.env", "tmonitor.env"]);
  for (const file of files) {
    const program = file.replace(".env", "");
    const text = readFileSync(join(packaging, file), "utf8");
    const samples = [...text.matchAll(/^#?T\w+_OPTIONS=(.*)$/gm)].map(([, options]) => options);
    assert.equal(samples.length, 2, file);
    for (const options of samples) {
      const words = options.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', "")) ?? [];
      const started = join(packaging, "../../bin", `${program}.js`);
      // It gets as far as a broker that is not there, or a file; what is wrong on its command line is told before.
      const args = [started, ...words, "-h", "127.0.0.1", "-p", "1"];
      const said = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
      assert.match(said.stderr, /^\w+: .*(connection refused|no such file).*\n$/, options);
    }
  }
});

test("systemd-analyze would find a fault", { skip }, (context) => {
  const folder = mkdtempSync(join(tmpdir(), "tstack-units-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "tmonitor.service");
  const text = readFileSync(join(packaging, "tmonitor.service"), "utf8");
  writeFileSync(
    file,
    text
      .replace(/^ExecStart=\w+/m, "ExecStart=/bin/true")
      .replace("ProtectSystem=strict", "ProtectSystem=very"),
  );
  assert.match(
    analyze("verify", "--man=no", file).stderr,
    /tmonitor\.service:\d+: Failed to parse protect system/,
  );
});

test("systemd makes the user of the services", { skip }, (context) => {
  const folder = mkdtempSync(join(tmpdir(), "tstack-root-"));
  context.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "etc"));
  const args = [`--root=${folder}`, join(packaging, "sysusers.conf")];
  const { status, stderr } = spawnSync("systemd-sysusers", args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.match(readFileSync(join(folder, "etc/passwd"), "utf8"), /^tstack:x:\d+:\d+:tStack:/m);
});
