/** The figures of this machine, held against what the kernel, df and `systeminformation` say of it at the same time. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { freemem, loadavg, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Figure } from "../../src/cli/monitor/figure.ts";
import { linuxSources } from "../../src/cli/monitor/linux/index.ts";
import { otherSystemSources } from "../../src/cli/monitor/other-systems.ts";
import type { Source } from "../../src/cli/monitor/source.ts";

const skip = process.platform !== "linux" && "the kernel's files are Linux's";
const nowSeconds = () => performance.now() / 1000;

async function lookAt(sources: readonly Source[]): Promise<Map<string, Figure>> {
  const figures = (await Promise.all(sources.map((source) => source.read()))).flat();
  return new Map(figures.map((figure) => [figure.path, figure]));
}

/** After a second in which this process keeps a core busy, if asked, and two looks. */
async function lookTwice(sources: readonly Source[], busy = false): Promise<Map<string, Figure>> {
  await lookAt(sources);
  const end = performance.now() + 600;
  while (busy && performance.now() < end);
  await sleep(busy ? 0 : 600);
  return lookAt(sources);
}

function near(actual: number | undefined, expected: number, tolerance: number, what: string) {
  assert.ok(
    Math.abs((actual ?? Number.NaN) - expected) <= tolerance,
    `${what}: ${actual}, not ${expected}`,
  );
}

test("disk space is what df says", { skip }, async () => {
  const figures = await lookTwice(linuxSources({ eachCore: false, nowSeconds }));
  const df = spawnSync("df", ["-P", "-B1", "/"], { encoding: "utf8" }).stdout.split("\n")[1];
  const [, , used, free, percent] = df.split(/\s+/);
  near(figures.get("disks/root/free")?.value, Number(free), 2e9, "free");
  near(figures.get("disks/root/percent")?.value, Number.parseInt(percent, 10), 1.5, "percent");
  assert.ok(Number(used) > 0);
});

test("memory, load, processes are what the kernel says", { skip }, async () => {
  const figures = await lookTwice(linuxSources({ eachCore: false, nowSeconds }));
  const value = (path: string) => figures.get(path)?.value;
  const available = Number(/MemAvailable: +(\d+)/.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]);
  near(value("memory/available"), available * 1024, 1e9, "available");
  near((value("memory/used") ?? 0) + (value("memory/available") ?? 0), totalmem(), 1e6, "total");
  assert.ok((value("memory/available") ?? 0) >= freemem() - 1e9);
  for (const [index, name] of ["load1", "load5", "load15"].entries()) {
    near(value(`cpu/${name}`), loadavg()[index], 0.5, name);
  }
  const count = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).length;
  near(value("processes/count"), count, 50, "processes");
  assert.ok((value("processes/running") ?? 0) >= 1);
});

test("the processor is as busy as this test makes it, and all cores together are their mean", {
  skip,
}, async () => {
  const figures = await lookTwice(linuxSources({ eachCore: true, nowSeconds }), true);
  const cores = [...figures].filter(([path]) => path.startsWith("cpu/core/"));
  const values = cores.map(([, { value }]) => value);
  assert.ok(values.length >= 1);
  const all = figures.get("cpu/percent")?.value ?? Number.NaN;
  // One core was busy; how much the others are is theirs.
  assert.ok(all >= (100 / values.length) * 0.7, `${all} %`);
  near(all, values.reduce((sum, value) => sum + value, 0) / values.length, 5, "the mean");
});

test("what is sent is counted, and so is what is written", { skip }, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "tmonitor-"));
  context.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "block/sda"), { recursive: true });
  mkdirSync(join(folder, "net"));
  mkdirSync(join(folder, "self"));
  const write = (seconds: number) => {
    const bytes = 1_000_000 + seconds * 5000;
    const line = `eth0: ${bytes} 1 0 0 0 0 0 0 ${bytes * 2} 1 3 0 0 0 0 0\n`;
    writeFileSync(
      join(folder, "net/dev"),
      `Inter-|\n face |\n  lo: 1 0 0 0 0 0 0 0 1 0 0 0 0 0 0 0\n${line}`,
    );
    const sectors = 1000 + seconds * 10;
    const disk = (name: string) => ` 8 0 ${name} 1 0 ${sectors} 0 1 0 ${sectors * 2} 0 0 0 0\n`;
    writeFileSync(join(folder, "diskstats"), disk("sda") + disk("sda1"));
  };
  let now = 100;
  const folders = { proc: folder, sys: folder };
  const sources = linuxSources({ eachCore: false, nowSeconds: () => now, folders });
  const counted = sources.filter(({ name }) => /transfers|network/.test(name));
  write(0);
  assert.deepEqual([...(await lookAt(counted)).keys()], ["network/eth0/errors"]);
  now += 10;
  write(10);
  const second = [...(await lookAt(counted)).values()].map(({ path, value }) => [path, value]);
  assert.deepEqual(second, [
    ["io/sda/read", 5120],
    ["io/sda/write", 10_240],
    ["network/eth0/in", 5000],
    ["network/eth0/out", 10_000],
    ["network/eth0/errors", 3],
  ]);
});

test("systeminformation, for other systems, sees the same machine", { skip }, async () => {
  const [own, other] = await Promise.all([
    lookTwice(linuxSources({ eachCore: true, nowSeconds })),
    lookTwice(await otherSystemSources({ eachCore: true, nowSeconds })),
  ]);
  for (const [path, tolerance] of [
    ["memory/percent", 5],
    ["memory/available", 1e9],
    ["disks/root/free", 2e9],
    ["disks/root/percent", 1.5],
    ["cpu/load1", 0.5],
    ["cpu/load15", 0.5],
    ["processes/count", 60],
  ] as const) {
    near(other.get(path)?.value, own.get(path)?.value ?? Number.NaN, tolerance, path);
  }
  const kinds = (figures: ReadonlyMap<string, Figure>) =>
    [...figures.values()]
      .filter(({ path }) => !/^(?:io|temperature)/.test(path))
      .map(({ path, kind }) => `${path} ${kind}`)
      .sort();
  assert.deepEqual(kinds(other), kinds(own));
});
