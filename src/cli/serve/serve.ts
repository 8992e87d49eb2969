/**
 * The broker as a process: from a configuration to listeners, and to a clean end within a bounded time. Nothing is
 * listened on before everything has been checked.
 */
import { totalmem } from "node:os";
import { resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import type { Logger } from "pino";
import type { AdminListener } from "../../admin/index.ts";
import { AuthenticatorChain, RightsAuthorizer, UserDirectory } from "../../auth/index.ts";
import { TstackError } from "../../base/index.ts";
import type { RecordStore, Storage } from "../../broker/index.ts";
import { type Broker, createBroker } from "../../index.ts";
import { MemoryStorage, openSqliteStorage } from "../../storage/index.ts";
import type { ProgramIo } from "../program-io.ts";
import type { Configuration } from "./configuration.ts";
import { knowsOthers } from "./configuration-listeners.ts";
import { watchForEnd } from "./ending.ts";
import { findAnonymousRights, Identity } from "./identity.ts";
import { warnOfMemory } from "./memory-warning.ts";
import { chooseLogForm, type LogForm, openLog } from "./program-log.ts";
import { handOnChanges } from "./user-changes.ts";
import { formatWelcome, formatWelcomeRecord, writeWelcome } from "./welcome.ts";
import { type OpenListener, warnOfClearText } from "./welcome-clients.ts";

/** How long clients have to take their last bytes, and how long the end may last in all. */
const closeSeconds = 5;
const closeSecondsMax = 10;

/** What is in the hands of one `serve`. */
interface Serving {
  readonly configuration: Configuration;
  readonly version: string;
  readonly log: Logger;
}

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
  keepYoungGenerationSmall();
  const form = chooseLogForm(configuration.logFormat, io.stdout);
  const log = openLog(configuration.logLevel, form, io.stdout);
  const ending = watchForEnd(io, log);
  try {
    const running = await start({ configuration, version, log });
    sayWelcome(running, { configuration, version, log }, { form, io });
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

interface Running {
  readonly storage: Storage;
  readonly directory: UserDirectory;
  readonly broker: Broker;
  readonly admin: AdminListener | undefined;
  readonly listeners: readonly OpenListener[];
}

/** All of it or nothing. */
async function start(serving: Serving): Promise<Running> {
  const { configuration, log } = serving;
  const storage = await openStorage(serving);
  let broker: Broker | undefined;
  let admin: AdminListener | undefined;
  try {
    const records = await storage.readRecords();
    const directory = new UserDirectory({ configured: configuration.users, records, log });
    refuseOpenDoors(configuration, directory);
    const identity = new Identity(configuration, directory, log);
    broker = openBroker(configuration, directory, { storage, log });
    handOnChanges({ directory, broker, listeners: configuration.listeners, log });
    await broker.restore();
    const listeners = await openListeners(broker, identity, { configuration, directory });
    return { storage, directory, broker, admin, listeners };
  } catch (error) {
    await admin?.close();
    await (broker === undefined ? storage.close() : broker.close({ seconds: 0 }));
    throw error;
  }
}

/** Anonymous clients that nobody asked for by name are for this machine only. */
function refuseOpenDoors({ listeners }: Configuration, directory: UserDirectory): void {
  if (!directory.isEmpty) return;
  const open = listeners.find(
    ({ isForThisMachine, anonymous, chain }) =>
      !isForThisMachine && anonymous.accepted !== "always" && !knowsOthers(chain),
  );
  if (open === undefined) return;
  throw new TstackError(
    "LISTEN_WITHOUT_USERS",
    `${open.url} can be reached from other machines and there are no users: ` +
      "add users with `tuser add` or to the configuration, or let anyone in with --allow-anonymous",
  );
}

/** The folder is the broker's alone from here on, until the broker gives it back at its end. */
async function openStorage({
  configuration: { data, durability },
  version,
  log,
}: Serving): Promise<Storage & RecordStore> {
  if (durability === "memory") return new MemoryStorage();
  const holder = `tserve ${version}, process ${process.pid}`;
  return await openSqliteStorage({ folder: resolve(data), durability, log, holder });
}

function openBroker(
  configuration: Configuration,
  directory: UserDirectory,
  { storage, log }: { storage: Storage; log: Logger },
): Broker {
  return createBroker({
    limits: configuration.limits,
    queueDrop: configuration.queueDrop,
    sysTopicsSeconds: configuration.sysTopicsSeconds,
    // Each listener has its own; what came without one would be let in by nobody.
    authenticator: new AuthenticatorChain([], log),
    authorizer: new RightsAuthorizer(directory),
    log,
    storage,
  });
}

/** All of them, or an error. */
async function openListeners(
  broker: Broker,
  identity: Identity,
  { configuration, directory }: { configuration: Configuration; directory: UserDirectory },
): Promise<OpenListener[]> {
  const listeners: OpenListener[] = [];
  for (const listener of configuration.listeners) {
    const { limits, mountPoint, refusedPublish, tls, proxyProtocol } = listener;
    const { url } = await broker.listen(listener.url, {
      limits,
      mountPoint,
      refusedPublish,
      tls,
      proxyProtocol,
      authenticator: identity.authenticatorOf(listener),
    });
    const anonymous = findAnonymousRights(listener.anonymous, directory.isEmpty);
    listeners.push({ url, configuration: listener, acceptsAnonymous: anonymous !== undefined });
  }
  return listeners;
}

function sayWelcome(
  { storage, directory, listeners }: Running,
  { configuration, version, log }: Serving,
  { form, io }: { form: LogForm; io: ProgramIo },
): void {
  const memory = { totalBytes: totalmem(), constrainedBytes: process.constrainedMemory() };
  const memoryWarning = warnOfMemory(configuration.limits.memoryBytesMax, memory);
  const warnings = [
    ...configuration.warnings,
    ...warnOfClearText(listeners),
    ...(memoryWarning === undefined ? [] : [memoryWarning]),
  ];
  for (const warning of warnings) log.warn({}, warning);
  const users = {
    configured: directory.configured.size,
    stored: directory.storedUsers.size,
  };
  const [exampleUser] = [...directory.configured.keys(), ...directory.storedUsers.keys()];
  const welcome = writeWelcome({ version, listeners, users, exampleUser, storage });
  if (form === "json") {
    for (const line of welcome) log.info(line.fields, formatWelcomeRecord(line));
  } else if (log.isLevelEnabled("info")) {
    io.stdout.write(formatWelcome(welcome));
  }
}

async function close({ broker, admin }: Running, log: Logger): Promise<number> {
  const late = setTimeout(closeSecondsMax * 1000, "late", { ref: false });
  const closed = (async () => {
    // Who changes users does not do so in a broker that ends.
    await admin?.close();
    await broker.close({ seconds: closeSeconds });
  })();
  const outcome = await Promise.race([closed, late]);
  if (outcome === "late") log.warn({}, `not everything was closed within ${closeSecondsMax} s`);
  else log.info({}, "closed");
  return 0;
}
