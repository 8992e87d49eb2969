/** Temperatures, from a folder made like the kernel's: what sensors a machine has differs too much to test on one. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { TemperatureSource } from "../../src/cli/monitor/linux/temperatures.ts";

const state = { sys: "" };

beforeEach(() => {
  state.sys = mkdtempSync(join(tmpdir(), "tmonitor-"));
});
afterEach(() => rmSync(state.sys, { recursive: true }));

function write(file: string, text: string): void {
  const path = join(state.sys, "class", file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${text}\n`);
}

async function read(source: TemperatureSource): Promise<unknown[]> {
  return (await source.read()).map(({ path, value }) => [path, value]);
}

const open = () => new TemperatureSource({ proc: "/proc", sys: state.sys });

test("a machine without sensors has no temperatures, and later ones are found", async () => {
  const source = open();
  assert.deepEqual(await read(source), []);
  write("thermal/thermal_zone0/type", "cpu-thermal");
  write("thermal/thermal_zone0/temp", "48312");
  write("thermal/cooling_device0/type", "fan");
  assert.deepEqual(await read(source), [["temperature/cpu-thermal", 48.312]]);
});

test("hardware monitors are named by chip and label; thermal zones would be the same again", async () => {
  write("thermal/thermal_zone0/type", "x86_pkg_temp");
  write("thermal/thermal_zone0/temp", "51000");
  write("hwmon/hwmon0/name", "coretemp");
  write("hwmon/hwmon0/temp1_label", "Package id 0");
  write("hwmon/hwmon0/temp1_input", "51000");
  write("hwmon/hwmon0/temp1_max", "100000");
  write("hwmon/hwmon1/name", "nvme");
  write("hwmon/hwmon1/temp2_input", "-5500");
  write("hwmon/hwmon1/temp3_input", "-274000");
  write("hwmon/hwmon2/name", "nvme");
  write("hwmon/hwmon2/temp2_input", "40000");
  assert.deepEqual(await read(open()), [
    ["temperature/coretemp-package-id-0", 51],
    ["temperature/nvme-2", -5.5],
    ["temperature/nvme-2-2", 40],
  ]);
});

test("a sensor that is pulled out is missing, and the others are looked for again", async () => {
  write("hwmon/hwmon0/name", "a");
  write("hwmon/hwmon0/temp1_input", "10000");
  write("hwmon/hwmon1/name", "b");
  write("hwmon/hwmon1/temp1_input", "20000");
  const source = open();
  assert.equal((await source.read()).length, 2);
  rmSync(join(state.sys, "class/hwmon/hwmon0"), { recursive: true });
  write("hwmon/hwmon2/name", "c");
  write("hwmon/hwmon2/temp1_input", "30000");
  assert.deepEqual(await read(source), [["temperature/b-1", 20]]);
  assert.deepEqual(await read(source), [
    ["temperature/b-1", 20],
    ["temperature/c-1", 30],
  ]);
});
