/**
 * The broker as a process: from a configuration to listeners, and to a clean end within a bounded time. Nothing is
 * listened on before everything has been checked.
 */
import { totalmem } from "node:os";
import { resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import type { Logger } from "pino";
import { UserList } from "../../auth/index.ts";
import { TstackError } from "../../base/index.ts";
import type { Storage } from "../../broker/index.ts";
import { type Broker, createBroker } from "../../index.ts";
import { isLoopbackUrl, parseListenUrl } from "../../listeners/index.ts";
import { MemoryStorage, openSqliteStorage } from "../../storage/index.ts";
import type { ProgramIo } from "../program-io.ts";
import type { Configuration } from "./configuration.ts";
import { watchForEnd } from "./ending.ts";
import { warnOfMemory } from "./memory-warning.ts";
import { chooseLogForm, openLog } from "./program-log.ts";
import { formatWelcome, formatWelcomeRecord, writeWelcome } from "./welcome.ts";

/** How long clients have to take their last bytes, and how long the end may last in all. */
const closeSeconds = 5;
const closeSecondsMax = 10;

/**
 * Serves until a signal comes; resolves with the exit code.
 *
 * @throws TstackError when it cannot listen, or not keep its state in the folder
 */
export async function serve(
  configuration: Configuration,
  version: string,
  io: ProgramIo,
): Promise<number> {
  refuseOpenDoors(configuration);
  keepYoungGenerationSmall();
  const form = chooseLogForm(configuration.logFormat, io.stdout);
  const log = openLog(configuration.logLevel, form, io.stdout);
  const ending = watchForEnd(io, log);
  try {
    const storage = await openStorage(configuration, version, log);
    const broker = openBroker(configuration, storage, log);
    const urls = await openListeners(broker, configuration.listen);
    for (const warning of configuration.warnings) log.warn({}, warning);
    const memory = { totalBytes: totalmem(), constrainedBytes: process.constrainedMemory() };
    const memoryWarning = warnOfMemory(configuration.limits.memoryBytesMax, memory);
    if (memoryWarning !== undefined) log.warn({}, memoryWarning);
    const welcome = writeWelcome({ version, urls, configuration, storage });
    if (form === "json") {
      for (const line of welcome) log.info(line.fields, formatWelcomeRecord(line));
    } else if (log.isLevelEnabled("info")) {
      io.stdout.write(formatWelcome(welcome));
    }
    return await Promise.race([ending.asked.then(() => close(broker, log)), ending.forced]);
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

/** Anonymous clients that nobody asked for by name are for this machine only. */
function refuseOpenDoors({ listen, users, allowAnonymous }: Configuration): void {
  if (users.users.length > 0 || allowAnonymous) return;
  const open = listen.find((url) => !isLoopbackUrl(parseListenUrl(url)));
  if (open === undefined) return;
  throw new TstackError(
    "LISTEN_WITHOUT_USERS",
    `${open} can be reached from other machines and there are no users: ` +
      "add users to the configuration, or let anyone in with --allow-anonymous",
  );
}

/** The folder is the broker's alone from here on, until the broker gives it back at its end. */
async function openStorage(
  { data, durability }: Configuration,
  version: string,
  log: Logger,
): Promise<Storage> {
  if (durability === "memory") return new MemoryStorage();
  const holder = `tserve ${version}, process ${process.pid}`;
  return await openSqliteStorage({ folder: resolve(data), durability, log, holder });
}

function openBroker(configuration: Configuration, storage: Storage, log: Logger): Broker {
  const users = new UserList(configuration.users);
  return createBroker({
    limits: configuration.limits,
    queueDrop: configuration.queueDrop,
    sysTopicsSeconds: configuration.sysTopicsSeconds,
    allowAnonymous: configuration.allowAnonymous,
    authenticator: users,
    authorizer: users,
    log,
    storage,
  });
}

/** All of them or none; returns their URLs with the real ports. */
async function openListeners(broker: Broker, listen: readonly string[]): Promise<string[]> {
  const urls: string[] = [];
  try {
    for (const url of listen) urls.push((await broker.listen(url)).url);
    return urls;
  } catch (error) {
    await broker.close({ seconds: 0 });
    throw error;
  }
}

async function close(broker: Broker, log: Logger): Promise<number> {
  const late = setTimeout(closeSecondsMax * 1000, "late", { ref: false });
  const outcome = await Promise.race([broker.close({ seconds: closeSeconds }), late]);
  if (outcome === "late") log.warn({}, `not everything was closed within ${closeSecondsMax} s`);
  else log.info({}, "closed");
  return 0;
}
