/**
 * The library's face: a broker for your program, with this machine's clock and sockets.
 *
 * @example
 * import { createBroker } from "tstack";
 * const broker = createBroker();
 * await broker.listen("mqtt://127.0.0.1:1883");
 * broker.subscribe("home/#", (message) => console.log(message.topic));
 * broker.publish("home/heating", "21", { qos: 1, retain: true });
 * await broker.close();
 */
import { pid } from "node:process";
import { setTimeout } from "node:timers/promises";
import {
  type Clock,
  defaultLimits,
  type Limits,
  type Log,
  type Random,
  silentLog,
  systemClock,
  systemRandom,
  TstackError,
} from "./base/index.ts";
import {
  type ApplicationMessage,
  type Authenticator,
  type Authorizer,
  Broker as BrokerCore,
  type BrokerEvents,
  type ClientView,
  type DisconnectUserOptions,
  type EnhancedAuthenticator,
  type ListenerSettings,
  type Storage,
  type Transport,
  type TransportSink,
} from "./broker/index.ts";
import type { Properties, QoS } from "./codec/index.ts";
import {
  isLoopbackUrl,
  type Listener,
  type ListenOptions,
  listen,
  parseListenUrl,
} from "./listeners/index.ts";
import { readVersion } from "./package-version.ts";
import { newMemoryReader } from "./process-memory.ts";
import { MemoryStorage, openSqliteStorage as openSqlite } from "./storage/index.ts";

export type { Clock, ErrorCode, Limits, Log, Random } from "./base/index.ts";
export { defaultLimits, ReasonCode, TstackError } from "./base/index.ts";
export type {
  ApplicationMessage,
  AuthenticationExchange,
  AuthenticationRequest,
  AuthenticationResult,
  AuthenticationStep,
  Authenticator,
  AuthorizationDecision,
  AuthorizationRequest,
  Authorizer,
  BrokerEvents,
  ClientCertificate,
  ClientIdentity,
  ClientView,
  ConnectionEnding,
  DisconnectUserOptions,
  EnhancedAuthenticator,
  ListenerSettings,
  Transport,
  TransportSink,
} from "./broker/index.ts";
export type * from "./broker/storage-port.ts";
export type { Properties, QoS } from "./codec/index.ts";
export type { Listener } from "./listeners/index.ts";

export interface BrokerOptions {
  /** Those that are to differ from `defaultLimits`: `createBroker` throws CONFIGURATION_INVALID for one that cannot hold. */
  limits?: Partial<Limits>;
  /** Default: silence. pino fits. */
  log?: Log;
  clock?: Clock;
  random?: Random;
  /** Who may connect. Default: everyone, anonymously. */
  authenticator?: Authenticator;
  /** Who may publish and subscribe what. Default: everyone everything. */
  authorizer?: Authorizer;
  /** The methods of enhanced authentication (5.0, section 4.12). Default: none. */
  enhancedAuthenticators?: readonly EnhancedAuthenticator[];
  /** Lets a broker without an authenticator listen where other machines reach it. */
  allowAnonymous?: boolean;
  /**
   * Where sessions, their queues and retained messages are kept: `openSqliteStorage` for a folder, or an engine of your
   * own. The broker closes it. Default: in memory, until the process ends.
   */
  storage?: Storage;
  /** Which message goes when a session's queue is full. Default: the newest. */
  queueDrop?: "newest" | "oldest";
  /**
   * What counts for `memoryBytesMax`, asked a few times a second. Default: V8's heap and buffers of this process; with a
   * `clock` of your own nothing, as that time says nothing of this process.
   */
  memoryBytes?: () => number;
  /** Seconds between two rounds of `$SYS` topics, 0 for none. Default: 10. */
  sysTopicsSeconds?: number;
}

export interface SqliteStorageOptions {
  /** Made if it is not there; nobody else may use it at the same time. */
  folder: string;
  /** What a power cut may cost: nothing (`fsync`, default), or what was written in the last seconds (`os`). */
  durability?: "fsync" | "os";
  /** Default: silence. */
  log?: Log;
  /** What others are told who want the same folder. Default: "process 1234". */
  holder?: string;
}

/** Keeps a broker's state in a folder: see `BrokerOptions.storage`. Rejects with a TstackError STORAGE_... */
export function openSqliteStorage({
  folder,
  durability = "fsync",
  log = silentLog,
  holder = `process ${pid}`,
}: SqliteStorageOptions): Promise<Storage> {
  return openSqlite({ folder, durability, log, holder });
}

export interface PublishOptions {
  qos?: QoS;
  retain?: boolean;
  properties?: Properties;
}

/** What one listener has of its own. */
export type BrokerListenOptions = ListenerSettings & Pick<ListenOptions, "tls" | "proxyProtocol">;

export interface Broker {
  /**
   * Opens a listener: `mqtt://host:port`, `mqtts://host:port`, `ws://host:port/path`, `wss://host:port/path`,
   * `unix:///path`. Port 0 takes a free one. Throws a TstackError: LISTEN_URL_INVALID, LISTEN_ADDRESS_IN_USE,
   * LISTEN_FAILED, LISTEN_WITHOUT_USERS, CERTIFICATE_INVALID, CONFIGURATION_INVALID.
   */
  listen(url: string, options?: BrokerListenOptions): Promise<Listener>;
  /**
   * Takes up what `storage` holds; `listen` does so first. With a `storage` of your own, one of the two comes before
   * everything else (STORAGE_NOT_RESTORED). Rejects with a TstackError STORAGE_...
   */
  restore(): Promise<void>;
  /** Takes a transport of your own, as a listener would. */
  accept(transport: Transport): TransportSink;
  /** Publishes past all rights. Throws a TstackError: MQTT_TOPIC_NAME_INVALID, MESSAGE_INVALID. */
  publish(topic: string, payload: string | Uint8Array, options?: PublishOptions): void;
  /** Calls `handler` with every message that matches, retained ones first; answers how to end that. */
  subscribe(filter: string, handler: (message: ApplicationMessage) => void): () => void;
  /** All sessions, or those of one user. */
  clients(userName?: string): ClientView[];
  /**
   * The `generation` of the authorizer has changed: subscriptions and wills of these users (`""`: anonymous clients), or
   * of all, are looked at again. What is no longer allowed ends, and a connected client is told so and disconnected (5.0: 0x87).
   */
  rightsChanged(userNames?: ReadonlySet<string>): void;
  /** Ends all connections of a user, or of several (5.0: 0x98), and logins under way; answers how many connections. */
  disconnectUser(userName: string | ReadonlySet<string>, options: DisconnectUserOptions): number;
  /** Answers how to take the listener away again. */
  on<Name extends keyof BrokerEvents>(
    name: Name,
    listener: (event: BrokerEvents[Name]) => void,
  ): () => void;
  /** Stops listening, tells 5.0 clients (0x8B) and closes all connections within `seconds` (default 5). */
  close(options?: { seconds?: number }): Promise<void>;
}

const everyone: Authenticator = {
  authenticate: ({ userName }) => ({ allowed: true, userName, rule: "anyone may connect" }),
};
const everything: Authorizer = {
  generation: 0,
  authorize: () => ({ allowed: true, rule: "anyone may do anything" }),
};

export function createBroker(options: BrokerOptions = {}): Broker {
  const log = options.log ?? silentLog;
  const storage = options.storage ?? new MemoryStorage();
  const core = new BrokerCore({
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    log,
    authenticator: options.authenticator ?? everyone,
    authorizer: options.authorizer ?? everything,
    enhancedAuthenticators: options.enhancedAuthenticators,
    storage,
    limits: options.limits,
    queueDrop: options.queueDrop,
    sysTopicsSeconds: options.sysTopicsSeconds,
    memoryBytes: options.memoryBytes ?? readerOfProcess(options),
    version: readVersion(),
  });
  const listeners: Listener[] = [];
  let isReady = options.storage === undefined;
  let restored: Promise<void> | undefined;
  const restore = (): Promise<void> =>
    (restored ??= core.restore().then(() => {
      isReady = true;
    }));
  const ready = (): BrokerCore => {
    if (isReady) return core;
    const message = "the broker has not taken up its storage: await restore() or listen() first";
    throw new TstackError("STORAGE_NOT_RESTORED", message);
  };
  // Methods of enhanced authentication keep nobody out: a client that names none of them is asked nothing.
  const isOpenToAnyone = options.authenticator === undefined && options.allowAnonymous !== true;
  return {
    async listen(url, { tls, proxyProtocol, ...settings } = {}) {
      const isOpen = isOpenToAnyone && settings.authenticator === undefined;
      if (isOpen && !isLoopbackUrl(parseListenUrl(url))) throw standsOpen(url);
      const acceptor = core.acceptorFor(settings);
      await restore();
      const listenOptions = { limits: acceptor.limits, log, tls, proxyProtocol };
      const listener = await listen(url, acceptor, listenOptions);
      listeners.push(listener);
      return listener;
    },
    restore,
    accept: (transport) => ready().accept(transport),
    publish(topic, payload, { qos = 0, retain = false, properties = {} } = {}) {
      ready().publish({ topic, payload: Buffer.from(payload), qos, retain, properties });
    },
    subscribe: (filter, handler) => ready().subscribe(filter, handler),
    clients: (userName) => core.clients(userName),
    rightsChanged: (userNames) => core.rightsChanged(userNames),
    disconnectUser: (userName, options) => core.disconnectUser(userName, options),
    on: (name, listener) => core.events.on(name, listener),
    async close({ seconds = 5 } = {}) {
      const closed = [...listeners.map((listener) => listener.close()), core.close()];
      const late = setTimeout(seconds * 1000, "late", { ref: false });
      if ((await Promise.race([Promise.all(closed), late])) !== "late") return;
      core.destroy();
      // What has been taken over is still written, if that can be done soon.
      const tooLate = setTimeout(seconds * 1000, undefined, { ref: false });
      await Promise.race([Promise.all(closed), tooLate]);
    },
  };
}

function readerOfProcess({ clock, limits }: BrokerOptions): (() => number) | undefined {
  if (clock !== undefined) return undefined;
  return newMemoryReader(limits?.memoryBytesMax ?? defaultLimits.memoryBytesMax);
}

function standsOpen(url: string): TstackError {
  return new TstackError(
    "LISTEN_WITHOUT_USERS",
    `${url} can be reached from other machines and there are no users: give createBroker an authenticator, or let anyone in with allowAnonymous`,
  );
}
