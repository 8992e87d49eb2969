/** tconsume as a process of its own with a data folder, and somebody who publishes to it. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { MqttClient } from "mqtt";
import { openTransport } from "../../src/cli/client/index.ts";
import { type Ended, type RunningProgram, start } from "./programs.ts";

const waitMillisecondsMax = 30_000;

export interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly qos?: 0 | 1 | 2;
  readonly retain?: boolean;
}

/** Waits for something that no event tells. */
export async function until(what: string, isReached: () => boolean): Promise<void> {
  const bound = performance.now() + waitMillisecondsMax;
  while (!isReached()) {
    if (performance.now() > bound) throw new Error(`waited too long for ${what}`);
    await sleep(10);
  }
}

/** Resolves when the broker has acknowledged all of them. */
export async function publish(port: number, messages: readonly Message[]): Promise<void> {
  const endpoint = { scheme: "mqtt", host: "127.0.0.1", port, tls: { insecure: false } } as const;
  const client = new MqttClient(() => openTransport(endpoint, "mqtt"), { protocolVersion: 5 });
  try {
    await Promise.all(
      messages.map(({ topic, payload, qos = 1, retain = false }) =>
        client.publishAsync(topic, payload, { qos, retain }),
      ),
    );
  } finally {
    await client.endAsync();
  }
}

/** `first` to `last`, each a message. */
export function countUp(topic: string, first: number, last: number, qos: 0 | 1 | 2 = 1): Message[] {
  return Array.from({ length: last - first + 1 }, (_, index) => {
    return { topic, payload: String(first + index), qos };
  });
}

/** A folder of its own, gone after the test, with consumers of a broker on this machine. */
export class ConsumeWorld {
  readonly folder = mkdtempSync(path.join(tmpdir(), "tconsume-"));
  port: number;

  constructor(context: TestContext, port: number) {
    this.port = port;
    context.after(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  file(name: string): string {
    return path.join(this.folder, name);
  }

  /** With the data folder `data`, unless `args` name another. */
  start(...args: readonly string[]): RunningProgram {
    return start("tconsume", this.#arguments(args), { stdin: "" });
  }

  /** One that the broker has already subscribed. */
  async consuming(...args: readonly string[]): Promise<RunningProgram> {
    const consumer = this.start(...args);
    await consumer.saw("tconsume: consumes ");
    return consumer;
  }

  run(...args: readonly string[]): Promise<Ended> {
    return this.start(...args).ended;
  }

  #arguments(args: readonly string[]): string[] {
    const data = args.includes("--data") ? [] : ["--data", this.file("data")];
    return ["-h", "127.0.0.1", "-p", String(this.port), ...data, ...args];
  }
}

/** Ctrl-C, and what the program has said and printed in its life. */
export function interrupt(consumer: RunningProgram): Promise<Ended> {
  consumer.child.kill("SIGINT");
  return consumer.ended;
}

/** The values of stdout as text: the last word of each line. */
export function valuesOf(stdout: string): string[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.slice(line.lastIndexOf(" ") + 1));
}

/** How often each value is in a database of the SQLite sink. */
export function readCounts(file: string): Map<number, number> {
  if (!existsSync(file)) return new Map();
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  try {
    const [view] = database.prepare("select 1 from sqlite_schema where name = 'readings'").all();
    if (view === undefined) return new Map();
    const rows = database.prepare("select value, count(*) as count from readings group by value");
    return new Map(rows.all().map(({ value, count }) => [Number(value), Number(count)]));
  } finally {
    database.close();
  }
}
