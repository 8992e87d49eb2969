/** mosquitto_pub, mosquitto_sub and mosquitto_rr as clients of a `BrokerProcess` with `logLevel: debug`. */
import assert from "node:assert/strict";
import type { Ended, RunningProgram } from "../cli/programs.ts";
import type { BrokerProcess } from "./broker-process.ts";
import { waitUntil } from "./inbox.ts";

export const debugLog = "logLevel: debug";

export interface More {
  /** Words with blanks in them, behind the options. */
  readonly args?: readonly string[];
  readonly stdin?: string;
}

export function start(
  broker: BrokerProcess,
  program: "mosquitto_pub" | "mosquitto_sub" | "mosquitto_rr",
  options: string,
  more: More = {},
): RunningProgram {
  const words = options.split(" ");
  const where = options.includes("--unix") ? [] : ["-h", "127.0.0.1", "-p", `${broker.port}`];
  const bounded = program === "mosquitto_pub" ? [] : ["-W", "25"];
  const all = [...where, ...bounded, ...words, ...(more.args ?? [])];
  return broker.start(program, all, more.stdin);
}

/** Runs it until it ends, and expects that it is content. */
export async function run(...parameters: Parameters<typeof start>): Promise<Ended> {
  return expectContent(start(...parameters));
}

export async function expectContent(program: RunningProgram): Promise<Ended> {
  const ended = await program.ended;
  assert.deepEqual([ended.code, ended.stderr], [0, ""]);
  return ended;
}

export function publish(broker: BrokerProcess, options: string, more?: More): Promise<Ended> {
  return run(broker, "mosquitto_pub", options, more);
}

/** mosquitto_sub with `name` as its identifier, once the broker has subscribed it. */
export async function subscribe(
  broker: BrokerProcess,
  name: string,
  options: string,
  more?: More,
): Promise<RunningProgram> {
  const from = broker.log.length; // a session may have been subscribed before
  const program = start(broker, "mosquitto_sub", `-i ${name} ${options}`, more);
  await waitForLog(broker, `"client":"${name}"`, "subscribed", from);
  return program;
}

/** Waits for a line of the broker's log with both texts, in what comes behind the first `from` letters. */
export async function waitForLog(
  broker: BrokerProcess,
  text: string,
  message: string,
  from = 0,
): Promise<void> {
  await waitUntil(
    () =>
      broker.log
        .slice(from)
        .split("\n")
        .some((line) => line.includes(text) && line.includes(`"msg":"${message}`)),
    () => `"${message}" with ${text} in the log`,
  );
}

export function linesOf({ stdout }: Ended): string[] {
  return stdout.split("\n").slice(0, -1);
}
