/**
 * A broker with everything around it, from a configuration: storage, users, listeners, the API. All of it or nothing: nobody is
 * let in before everything has been checked, and who may change users can do so before the first client comes.
 */
import { resolve } from "node:path";
import type { AdminListener } from "../../admin/index.ts";
import { AuthenticatorChain, RightsAuthorizer, UserDirectory } from "../../auth/index.ts";
import { type Log, TstackError } from "../../base/index.ts";
import type { RecordStore, Storage } from "../../broker/index.ts";
import { type Broker, createBroker } from "../../index.ts";
import { MemoryStorage, openSqliteStorage } from "../../storage/index.ts";
import type { Configuration } from "./configuration.ts";
import { knowsOthers } from "./configuration-listeners.ts";
import { findAnonymousRights, type Identity, openIdentity } from "./identity.ts";
import { Learning } from "./learning.ts";
import { handOnChanges, reviewRestored } from "./user-changes.ts";
import type { OpenListener } from "./welcome-clients.ts";

export interface ServeOptions {
  readonly configuration: Configuration;
  readonly version: string;
  /** The file to which is added what clients do; undefined: nothing is learned. */
  readonly learnFile: string | undefined;
}

export interface Running {
  readonly storage: Storage;
  readonly directory: UserDirectory;
  readonly broker: Broker;
  readonly listeners: readonly OpenListener[];
  readonly learning: Learning | undefined;
  /** Lets clients take their last bytes within `seconds`. */
  close(seconds: number): Promise<void>;
}

/** @throws TstackError when it cannot listen, or not keep its state in the folder */
export async function start(options: ServeOptions, log: Log): Promise<Running> {
  const storage = await openStorage(options, log);
  const parts: { broker?: Broker; admin?: AdminListener; learning?: Learning } = {};
  const close = async (seconds: number) => {
    // Who changes users does not do so in a broker that ends.
    await parts.admin?.close();
    await (parts.broker === undefined ? storage.close() : parts.broker.close({ seconds }));
    parts.learning?.close();
  };
  try {
    const { configuration, version, learnFile } = options;
    const records = await storage.readRecords();
    const directory = new UserDirectory({ configured: configuration.users, records, log });
    refuseOpenDoors(configuration, directory);
    const identity = await openIdentity(configuration, { directory, store: storage, records, log });
    const rights = new RightsAuthorizer(directory);
    if (learnFile !== undefined) parts.learning = new Learning(rights, learnFile, log);
    const broker = createBroker({
      limits: configuration.limits,
      queueDrop: configuration.queueDrop,
      sysTopicsSeconds: configuration.sysTopicsSeconds,
      // Each listener has its own; whoever came past them is let in by nobody.
      authenticator: new AuthenticatorChain([], log),
      authorizer: parts.learning?.authorizer ?? rights,
      log,
      storage,
    });
    parts.broker = broker;
    handOnChanges({ directory, broker, listeners: configuration.listeners, log });
    await broker.restore();
    reviewRestored({ directory, broker });
    if (storage.durability !== "memory") {
      // fastify is loaded only where it is needed.
      const { openAdmin } = await import("./admin.ts");
      const anonymous = () => identity.findAnonymousGrant();
      const store = { directory, store: storage, records };
      const live = { anonymous, broker, bans: identity.guard, version, log };
      parts.admin = await openAdmin({ ...store, ...live }, resolve(configuration.data));
    }
    const listeners = await openListeners(broker, identity, { configuration, directory });
    return { storage, directory, broker, listeners, learning: parts.learning, close };
  } catch (error) {
    await close(0);
    throw error;
  }
}

/** The folder is the broker's alone from here on, until the broker gives it back at its end. */
async function openStorage(
  { configuration: { data, durability }, version }: ServeOptions,
  log: Log,
): Promise<Storage & RecordStore> {
  if (durability === "memory") return new MemoryStorage();
  const holder = `tserve ${version}, process ${process.pid}`;
  return await openSqliteStorage({ folder: resolve(data), durability, log, holder });
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
      ...identity.settingsOf(listener),
    });
    const anonymous = findAnonymousRights(listener.anonymous, directory.isEmpty);
    listeners.push({ url, configuration: listener, acceptsAnonymous: anonymous !== undefined });
  }
  return listeners;
}
