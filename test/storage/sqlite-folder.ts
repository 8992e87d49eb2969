/** What the tests of storage in SQLite share: folders that go with the test, an engine in one, a file system of a few MB. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type Log, silentLog } from "../../src/base/index.ts";
import type { RecordStore, Storage, StorageChange } from "../../src/broker/ports.ts";
import { queued, rowOf, sessions } from "../../src/storage/conformance/records.ts";
import { openSqliteStorage, type SqliteDurability } from "../../src/storage/index.ts";

/** What each test has opened: the last first, it is given back. */
const opened = new WeakMap<TestContext, AsyncDisposableStack>();

function whenEnded(context: TestContext, giveBack: () => void | Promise<void>): void {
  let stack = opened.get(context);
  if (stack === undefined) {
    stack = new AsyncDisposableStack();
    opened.set(context, stack);
    context.after(() => stack?.disposeAsync());
  }
  stack.defer(giveBack);
}

/** Goes when the test ends. */
export function makeFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "tstack-sqlite-"));
  whenEnded(context, () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A file system of its own that goes with the test, or why there is none. */
export function mountSmallDisk(context: TestContext, megabytes: number): string | { why: string } {
  const folder = makeFolder(context);
  const options = ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder];
  const { status, stderr } = spawnSync("mount", options, { encoding: "utf8" });
  if (status !== 0) return { why: `no disk can be mounted here: ${stderr}` };
  whenEnded(context, () => {
    spawnSync("umount", [folder]);
  });
  return folder;
}

export function remount(folder: string, mode: "ro" | "rw"): void {
  const { status, stderr } = spawnSync("mount", ["-o", `remount,${mode}`, folder]);
  if (status !== 0) throw new Error(`${folder} was not mounted ${mode}: ${stderr}`);
}

export interface OpenOptions {
  readonly durability?: SqliteDurability;
  readonly log?: Log;
  readonly holder?: string;
}

/** Closed when the test ends, if it is not before. */
export async function openFolder(
  context: TestContext,
  folder: string,
  { durability = "os", log = silentLog, holder = "a test" }: OpenOptions = {},
): Promise<Storage & RecordStore> {
  const storage = await openSqliteStorage({ folder, durability, log, holder });
  whenEnded(context, () => storage.close());
  return storage;
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
}

export function recordLog(lines: LogLine[]): Log {
  const record = (level: string) => (_: object, message: string) => {
    lines.push({ level, message });
  };
  return {
    debug: record("debug"),
    info: record("info"),
    warn: record("warn"),
    error: record("error"),
  };
}

/** Session 1 with `count` rows from position 1, each with a message of `bytes`. */
export function sessionWithRows(count: number, bytes = 100): readonly StorageChange[] {
  return [...sessions(1), ...rowsFrom(1, count, bytes)];
}

export function rowsFrom(first: number, count: number, bytes = 100): readonly StorageChange[] {
  return Array.from({ length: count }, (_, index) => first + index).flatMap((position) =>
    queued(rowOf(1, position, { bytes })),
  );
}

export async function readPositions(storage: Storage, queue = 1): Promise<readonly number[]> {
  const everything = { after: 0, messagesMax: 1e9, bytesMax: 1e15 };
  const deliveries = await storage.readWaiting({ queue, ...everything });
  return deliveries.map(({ row }) => row.position);
}

/** 1, 2, 3 and so on. */
export function numbersTo(last: number): readonly number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}
