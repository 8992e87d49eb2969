/** On what machine and with which versions was measured: figures mean nothing without. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { arch, cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { debianEnvironment } from "../scripts/debian-packages.ts";
import type { BrokerName } from "./brokers.ts";

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGigabytes: number;
  readonly system: string;
  readonly node: string;
  readonly versions: Readonly<Record<BrokerName, string>>;
}

const root = join(import.meta.dirname, "..");

export function describeMachine(): Machine {
  return {
    processor: cpus()[0].model,
    cores: cpus().length,
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()} ${arch()}`,
    node: process.versions.node,
    versions: {
      tStack: readTstackVersion(),
      "nats-server": readProgramVersion("nats-server", "--version"),
      mosquitto: readProgramVersion("mosquitto", "-h"),
      aedes: readPackageVersion("node_modules/aedes/package.json"),
    },
  };
}

export function readTstackVersion(): string {
  return `${readPackageVersion("package.json")} (${readCommit()})`;
}

/** Figures of one may stand beside figures of the other: all is the same but tStack. */
export function isSameMachine(one: Machine, other: Machine): boolean {
  const [first, second] = [one, other].map((machine) => ({
    ...machine,
    versions: { ...machine.versions, tStack: "" },
  }));
  return isDeepStrictEqual(first, second);
}

function readPackageVersion(file: string): string {
  return (JSON.parse(readFileSync(join(root, file), "utf8")) as { version: string }).version;
}

function readProgramVersion(program: string, option: string): string {
  const { stdout, stderr } = spawnSync(program, [option], {
    env: debianEnvironment,
    encoding: "utf8",
  });
  return /\d+\.\d+\.\d+/.exec(`${stdout}${stderr}`)?.[0] ?? "unknown";
}

/** What a benchmark writes itself makes its commit no other. */
const written = [":!bench/results", ":!docs/performance*", ":!docs/durability.md"];

function readCommit(): string {
  const options = { cwd: root, encoding: "utf8" } as const;
  const commit = spawnSync("git", ["describe", "--always"], options);
  if (commit.status !== 0) return "no commit";
  const changed = spawnSync("git", ["status", "--porcelain", "--", ".", ...written], options);
  return `${commit.stdout.trim()}${changed.stdout === "" ? "" : "-dirty"}`;
}
