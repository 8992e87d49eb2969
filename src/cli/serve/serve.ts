/**
 * The broker as a process: from its start, about which it tells people, to a clean end within a bounded time after a
 * signal.
 */
import { totalmem } from "node:os";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import type { Logger } from "pino";
import type { ProgramIo } from "../program-io.ts";
import { watchForEnd } from "./ending.ts";
import { warnOfMemory } from "./memory-warning.ts";
import { chooseLogForm, type LogForm, openLog } from "./program-log.ts";
import { type Running, type ServeOptions, start } from "./start.ts";
import { formatWelcome, formatWelcomeRecord, type WelcomeLine, writeWelcome } from "./welcome.ts";
import { warnOfClearText, warnOfRefusedAnonymous } from "./welcome-clients.ts";

/** How long clients have to take their last bytes, and how long the end may last in all. */
const closeSeconds = 5;
const closeSecondsMax = 10;

/**
 * Serves until a signal comes; resolves with the exit code.
 *
 * @throws TstackError when it cannot listen, or not keep its state in the folder
 */
export async function serve(options: ServeOptions, io: ProgramIo): Promise<number> {
  keepYoungGenerationSmall();
  const { logFormat, logLevel } = options.configuration;
  const form = chooseLogForm(logFormat, io.stdout);
  const log = openLog(logLevel, form, io.stdout);
  const ending = watchForEnd(io, log);
  try {
    const running = await start(options, log);
    for (const warning of findWarnings(running, options)) log.warn({}, warning);
    sayWelcome(writeWelcomeOf(running, options), { form, log, io });
    return await Promise.race([ending.asked.then(() => close(running, log)), ending.forced]);
  } finally {
    ending.stopWatching();
  }
}

/**
 * When many connections come at once, V8 lets the part of the heap for new objects grow from 16 to 128 MB and keeps it
 * so: half of the memory of 15,000 idle connections (docs/performance.md). The broker makes little garbage and is as
 * fast without.
 */
function keepYoungGenerationSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}

function findWarnings({ listeners }: Running, { configuration }: ServeOptions): string[] {
  const memory = { totalBytes: totalmem(), constrainedBytes: process.constrainedMemory() };
  const memoryWarning = warnOfMemory(configuration.limits.memoryBytesMax, memory);
  return [
    ...configuration.warnings,
    ...warnOfClearText(listeners),
    ...warnOfRefusedAnonymous(listeners),
    ...(memoryWarning === undefined ? [] : [memoryWarning]),
  ];
}

function writeWelcomeOf(
  { storage, directory, listeners, learning }: Running,
  { version }: ServeOptions,
): WelcomeLine[] {
  const users = { configured: directory.configured.size, stored: directory.storedUsers.size };
  const [exampleUser] = [...directory.configured.keys(), ...directory.storedUsers.keys()];
  return writeWelcome({
    version,
    listeners,
    users,
    exampleUser,
    storage,
    learning: learning?.text,
  });
}

function sayWelcome(
  lines: readonly WelcomeLine[],
  { form, log, io }: { form: LogForm; log: Logger; io: ProgramIo },
): void {
  if (form === "json") {
    for (const line of lines) log.info(line.fields, formatWelcomeRecord(line));
  } else if (log.isLevelEnabled("info")) {
    io.stdout.write(formatWelcome(lines));
  }
}

async function close(running: Running, log: Logger): Promise<number> {
  const late = setTimeout(closeSecondsMax * 1000, "late", { ref: false });
  const outcome = await Promise.race([running.close(closeSeconds), late]);
  if (outcome === "late") log.warn({}, `not everything was closed within ${closeSecondsMax} s`);
  else log.info({}, "closed");
  return 0;
}
