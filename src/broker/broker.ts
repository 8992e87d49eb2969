/**
 * The broker: it puts its parts together and holds what they share. It does no I/O; transports, clock, randomness,
 * log, identity and rights come in through its options, so that two brokers in one process know nothing of each other.
 */
import {
  type Clock,
  completeLimits,
  type Limits,
  type Log,
  type Random,
  ReasonCode,
  TstackError,
} from "../base/index.ts";
import { parseTopicFilter } from "../topics/index.ts";
import { AddressLimits } from "./address-limits.ts";
import { fromApplicationMessage, toApplicationMessage } from "./application-message.ts";
import { Connection } from "./connection.ts";
import { type ConnectionEnding, describeEnding } from "./connection-ending.ts";
import { Counters } from "./counters.ts";
import { Deadlines } from "./deadlines.ts";
import { Delivery } from "./delivery.ts";
import { callEmbedding } from "./embedding-call.ts";
import { Events } from "./events.ts";
import { isGapTopic } from "./gaps.ts";
import { Journal } from "./journal.ts";
import { LimitHits } from "./limit-hits.ts";
import { ListenerProfile } from "./listener-profile.ts";
import { MemoryWatch } from "./memory-watch.ts";
import type { Message } from "./message.ts";
import { checkApplicationMessage } from "./message-check.ts";
import { findOwnTopic } from "./own-topics.ts";
import type {
  ApplicationMessage,
  Authenticator,
  AuthorizationDecision,
  AuthorizationRequest,
  Authorizer,
  EnhancedAuthenticator,
  ListenerSettings,
  Transport,
  TransportAcceptor,
  TransportSink,
} from "./ports.ts";
import { PublishEncoder } from "./publish-encoder.ts";
import type { QueueAccount } from "./queue-limits.ts";
import { restoreState } from "./restore.ts";
import { RetainedMessages } from "./retained-messages.ts";
import { Routes } from "./routes.ts";
import type { SessionContext } from "./session-context.ts";
import { Sessions } from "./sessions.ts";
import type { Storage } from "./storage-port.ts";
import { Subscriptions } from "./subscriptions.ts";
import { SysTopics } from "./sys-topics.ts";
import { TickEnd } from "./tick-end.ts";
import {
  type ClientView,
  type DisconnectUserOptions,
  disconnectUser,
  listClients,
  reviewUsers,
} from "./user-sessions.ts";
import { Wills } from "./wills.ts";

export interface BrokerPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  /** Where it keeps what must outlive it. One that may hold something is taken up with `restore`. */
  readonly storage: Storage;
  readonly enhancedAuthenticators?: readonly EnhancedAuthenticator[];
  readonly limits?: Partial<Limits>;
  /** Which message goes when a session's queue is full: the one that comes (default) or the one that waits longest. */
  readonly queueDrop?: "newest" | "oldest";
  /** Seconds between two rounds of `$SYS` topics; 0 for none. Default 10. */
  readonly sysTopicsSeconds?: number;
  /** What the broker and what it runs in have of this machine's memory: for memoryBytesMax. Without it there is no such limit. */
  readonly memoryBytes?: () => number;
  /** As `$SYS/broker/version` tells it. */
  readonly version: string;
}

export class Broker implements TransportAcceptor {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly limits: Limits;
  readonly authorizer: Authorizer;
  readonly counters = new Counters();
  readonly deadlines: Deadlines;
  readonly tickEnd: TickEnd;
  readonly encoder = new PublishEncoder();
  readonly delivery: Delivery;
  readonly routes: Routes;
  readonly subscriptions: Subscriptions;
  readonly storage: Storage;
  readonly journal: Journal;
  readonly retained: RetainedMessages;
  readonly wills: Wills;
  readonly sessions: Sessions;
  readonly events: Events;
  readonly limitHits: LimitHits;
  readonly addresses: AddressLimits;
  readonly memory: MemoryWatch;
  /** What waits in all shared subscriptions. */
  readonly sharedQueues: QueueAccount = { messages: 0, bytes: 0 };
  /** Users who were cut off while it was being found out who a client is. */
  readonly cutOffMeanwhile = new WeakMap<Connection, readonly ReadonlySet<string>[]>();
  isClosing = false;
  /** Of listeners without settings of their own. */
  readonly #profile: ListenerProfile;
  readonly #profileOf: (settings: ListenerSettings) => ListenerProfile;
  readonly #context: SessionContext;
  /** The highest number of a stored queue. */
  #queueLast = 0;
  /** Connections that are not at their end. */
  readonly #connections = new Set<Connection>();
  /** Those, and transports that are still handing over their last bytes. */
  readonly #transports = new Set<Transport>();
  /** Set by the first `close`: all wait for the same. */
  #emptied: PromiseWithResolvers<void> | undefined;
  readonly #sysTopics: SysTopics;

  constructor(ports: BrokerPorts) {
    this.clock = ports.clock;
    this.random = ports.random;
    this.log = ports.log;
    this.limits = completeLimits(ports.limits);
    this.authorizer = ports.authorizer;
    const { authenticator, enhancedAuthenticators = [] } = ports;
    const defaults = { limits: this.limits, authenticator, enhancedAuthenticators };
    this.#profileOf = (settings) => new ListenerProfile(defaults, settings);
    this.#profile = this.#profileOf({});
    this.events = new Events(ports.log);
    this.limitHits = new LimitHits(this.clock, ports.log);
    this.addresses = new AddressLimits(this.limits, this.clock);
    this.deadlines = new Deadlines(this.clock, ports.log);
    this.memory = new MemoryWatch(this, ports.memoryBytes);
    this.tickEnd = new TickEnd(this.clock, this.counters);
    this.routes = new Routes(this.limits.routesBytesMax);
    this.delivery = new Delivery(this.routes);
    this.subscriptions = new Subscriptions(this.routes);
    this.storage = ports.storage;
    this.journal = new Journal(this);
    this.retained = new RetainedMessages(this);
    this.wills = new Wills({
      clock: this.clock,
      deadlines: this.deadlines,
      publish: (will) => this.publishMessage(will),
      save: (session) => this.sessions.save(session),
    });
    this.#context = this.#sessionContext(ports.queueDrop);
    this.sessions = new Sessions(this.#context, this.routes, this.wills);
    this.#sysTopics = new SysTopics(this, ports.version, ports.sysTopicsSeconds ?? 10);
  }

  #sessionContext(queueDrop: "newest" | "oldest" = "newest"): SessionContext {
    const { limits, clock, log, counters, deadlines, delivery, retained, subscriptions } = this;
    const { journal, storage } = this;
    const { limitHits } = this;
    const dropSubscription = subscriptions.remove.bind(subscriptions);
    const { sharedQueues } = this;
    return {
      limits,
      clock,
      log,
      counters,
      limitHits,
      deadlines,
      delivery,
      retained,
      journal,
      storage,
      sharedQueues,
      queueDrop,
      dropSubscription,
      nextQueue: () => ++this.#queueLast,
      storageFailed: (error) =>
        log.error(
          { error },
          "what waits for a client cannot be read; it is tried again in a second",
        ),
    };
  }

  /**
   * Takes up what the storage holds, before the first connection and the first message: nothing of it is read again but
   * the queues. Rejects with a TstackError STORAGE_...
   */
  async restore(): Promise<void> {
    const state = await this.storage.restore();
    this.#queueLast = state.queueLast;
    this.journal.startAfter(state.messageLast);
    restoreState(state, this);
    this.deadlines.runDue(); // before anybody comes back: an expired session, a will that nobody may call off any more
    await this.journal.whenCommitted();
  }

  /** Open connections, those before CONNACK among them. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  connections(): Iterable<Connection> {
    return this.#connections;
  }

  /** See `user-sessions.ts`. */
  clients(userName?: string): ClientView[] {
    return listClients(this, userName);
  }

  rightsChanged(userNames?: ReadonlySet<string>): void {
    reviewUsers(this, userNames);
  }

  disconnectUser(userName: string | ReadonlySet<string>, options: DisconnectUserOptions): number {
    return disconnectUser(this, userName, options);
  }

  accept(transport: Transport): TransportSink {
    return this.#accept(transport, this.#profile);
  }

  /** For a listener with settings of its own. Throws CONFIGURATION_INVALID. */
  acceptorFor(settings: ListenerSettings): TransportAcceptor & { readonly limits: Limits } {
    const profile = this.#profileOf(settings);
    const accept = (transport: Transport): TransportSink => this.#accept(transport, profile);
    return { accept, limits: profile.limits };
  }

  #accept(transport: Transport, profile: ListenerProfile): Connection {
    this.counters.socketsOpened++;
    this.#transports.add(transport);
    profile.connections++;
    const connection = new Connection(this, transport, profile);
    this.#connections.add(connection);
    this.memory.watch();
    if (this.isClosing) connection.disconnect(ReasonCode.serverShuttingDown, "shutting down");
    return connection;
  }

  /** `$SYS` and `$tstack` are refused here, whatever the rights say. */
  authorize(request: AuthorizationRequest): AuthorizationDecision | Promise<AuthorizationDecision> {
    const { action, topic, client } = request;
    if (action === "subscribe" && isGapTopic(topic, client.clientIdentifier))
      return { allowed: true, rule: "every client may be told what it has lost" };
    if (action !== "subscribe") {
      const owned = findOwnTopic(topic);
      if (owned !== undefined) return { allowed: false, rule: `${owned} belongs to the broker` };
    }
    try {
      return this.authorizer.authorize(request);
    } catch (error) {
      return Promise.reject(error); // one way to fail, so that no answer that is under way is left alone
    }
  }

  /** Publishes from inside the process, past all rights. Throws MQTT_TOPIC_NAME_INVALID, MESSAGE_INVALID. */
  publish(message: ApplicationMessage): void {
    checkApplicationMessage(message, this.limits.topicLevelsMax);
    this.publishMessage(fromApplicationMessage(message, "", this.clock.now()));
  }

  /** For wills, `$SYS` and the embedding program: to the retained store and to all who are subscribed. */
  publishMessage(message: Message): void {
    // Of wills: [MQTT-3.1.2-14] [MQTT-3.1.2-15], 3.1.1: [MQTT-3.1.2-16] [MQTT-3.1.2-17].
    if (message.retain && !this.retained.store(message)) {
      this.counters.dropped.retainedFull++;
      this.retained.delete(message.topic); // rather none than one that is out of date
    }
    this.delivery.deliver(this.routes.find(message.topic), message);
  }

  /**
   * Subscribes from inside the process, past all rights. The function that is answered ends the subscription.
   * Throws MQTT_TOPIC_FILTER_INVALID.
   */
  subscribe(filter: string, handler: (message: ApplicationMessage) => void): () => void {
    const parsed = parseTopicFilter(filter, this.limits.topicLevelsMax);
    if (parsed === undefined || parsed.group !== undefined) {
      throw new TstackError("MQTT_TOPIC_FILTER_INVALID", `"${filter}" is no topic filter`);
    }
    let isActive = true;
    const guarded = (message: ApplicationMessage): void => {
      const what = "a handler of the embedding program";
      if (isActive) callEmbedding(() => handler(message), this.log, { filter }, what);
    };
    // Subscribed first, so that what the handler itself publishes is not missed.
    const end = this.subscriptions.addLocal(filter, guarded);
    for (const retained of this.retained.match(filter)) {
      if (!retained.hasExpired(this.clock.now())) guarded(toApplicationMessage(retained));
    }
    return () => {
      isActive = false; // also for the message that is being delivered
      end();
    };
  }

  connectionAccepted(connection: Connection, sessionPresent: boolean): void {
    this.counters.connectionsAccepted++;
    const client = connection.identity;
    if (client === undefined) return;
    this.log.info(
      {
        client: client.clientIdentifier,
        user: client.userName,
        from: client.remoteAddress,
        version: client.protocolVersion,
        sessionPresent,
      },
      "connected",
    );
    this.events.emit("connect", { client, sessionPresent });
  }

  connectionEnded(connection: Connection, ending: ConnectionEnding): void {
    this.#connections.delete(connection);
    connection.profile.connections--;
    if (connection.expiry !== undefined) this.deadlines.cancel(connection.expiry);
    if (connection.address !== undefined) this.addresses.close(connection.address);
    this.sessions.connectionEnded(connection);
    const dropped = connection.session?.drops.take();
    this.log[connection.wasRefused ? "debug" : "info"](
      { client: connection.name, from: connection.transport.remoteAddress, dropped },
      `disconnected by ${describeEnding(ending)}`,
    );
    if (connection.wasAccepted && connection.identity !== undefined) {
      this.events.emit("disconnect", { client: connection.identity, ending });
    }
  }

  /**
   * Tells every client and ends its connection; nothing is accepted any more. Wills are not published: nobody is left.
   * Resolves when the last transport has gone.
   */
  async close(): Promise<void> {
    this.isClosing = true;
    this.deadlines.clear();
    for (const connection of this.#connections) {
      if (connection.session !== undefined) this.wills.cancel(connection.session);
      connection.disconnect(ReasonCode.serverShuttingDown, "the broker is shutting down");
    }
    this.#sysTopics.stop();
    this.deadlines.clear();
    if (this.#transports.size > 0) {
      this.#emptied ??= Promise.withResolvers<void>();
      await this.#emptied.promise;
    }
    await this.journal.close();
  }

  /** Closes at once what `close` has not brought to an end. */
  destroy(): void {
    for (const transport of this.#transports) transport.destroy();
  }

  transportClosed(transport: Transport): void {
    this.#transports.delete(transport);
    if (this.#transports.size === 0) this.#emptied?.resolve();
  }
}
