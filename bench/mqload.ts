/** Builds and runs `mqload`, the load generator: one thread, closed loop, C. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { RunningProgram } from "./brokers.ts";
import { loadCore, type Settings, user } from "./settings.ts";

const run = promisify(execFile);
const source = join(import.meta.dirname, "mqload.c");
/** Beyond the seconds of load: to connect, and to wait for what is lost. */
const patienceSeconds = 150;

/** What one run with messages has shown. */
export interface LoadFigures {
  /** The broker's CPU for each delivered message, in microseconds. */
  readonly cpuMicroseconds: number;
  readonly deliveredPerSecond: number;
  readonly p50Microseconds: number;
  readonly p99Microseconds: number;
  readonly lost: number;
  readonly outOfOrder: number;
  /** Of a whole core: 1 is all of it. */
  readonly brokerUtilisation: number;
  readonly loadUtilisation: number;
}

export async function buildMqload(folder: string): Promise<string> {
  const program = join(folder, "mqload");
  await run("cc", ["-O2", "-o", program, source]);
  return program;
}

/** As many messages as the broker takes, or as `load` says, for `settings.seconds`. */
export async function runLoad(
  settings: Settings,
  broker: Pick<RunningProgram, "port" | "pid">,
  load: readonly string[],
): Promise<LoadFigures> {
  const figures = await runMqload(settings, broker, ["-t", String(settings.seconds), ...load]);
  return {
    cpuMicroseconds: figures.broker_cpu_us_per_msg,
    deliveredPerSecond: figures.deliver_per_s,
    p50Microseconds: figures.p50_us,
    p99Microseconds: figures.p99_us,
    lost: figures.lost,
    outOfOrder: figures.order_err,
    brokerUtilisation: figures.broker_cpu_util,
    loadUtilisation: figures.gen_cpu_util,
  };
}

/** Opens connections that do nothing, and answers the KB of memory that the broker takes for each. */
export async function runIdle(
  settings: Settings,
  broker: Pick<RunningProgram, "port" | "pid">,
  connections: number,
): Promise<number> {
  return (await runMqload(settings, broker, ["-I", String(connections)])).kb_per_conn;
}

/** Leaves a session behind for which `count` messages wait, numbered from 0 in their order. Answers whose it is. */
export async function fillQueue(
  settings: Settings,
  broker: Pick<RunningProgram, "port" | "pid">,
  { count, payloadBytes, window }: { count: number; payloadBytes: number; window: number },
): Promise<string> {
  const amounts = ["-n", String(count), "-s", String(payloadBytes), "-W", String(window)];
  const running = startMqload(settings, broker, ["-q", "1", "-O", ...amounts]);
  // `taskset` becomes mqload, which names its clients by its process.
  const clientIdentifier = `mql${running.child.pid}-s0`;
  const { sent, expected } = JSON.parse((await running).stdout) as Record<string, number>;
  if (sent !== count || expected !== count) throw new Error(`${sent} of ${count} were sent`);
  return clientIdentifier;
}

async function runMqload(
  settings: Settings,
  broker: Pick<RunningProgram, "port" | "pid">,
  load: readonly string[],
): Promise<Record<string, number>> {
  const { stdout } = await startMqload(settings, broker, load);
  return JSON.parse(stdout) as Record<string, number>;
}

function startMqload(
  { mqload, seconds }: Settings,
  broker: Pick<RunningProgram, "port" | "pid">,
  load: readonly string[],
) {
  const parameters = ["-c", loadCore, mqload, "-p", String(broker.port), "-B", String(broker.pid)];
  return run("taskset", [...parameters, "-u", user.name, "-x", user.password, ...load], {
    timeout: (seconds + patienceSeconds) * 1000,
  });
}
