/**
 * `$SYS/broker/...`: the broker's figures as retained messages, by the names that mosquitto's users know.
 * Loads are averages per minute over 1, 5 and 15 minutes, weighted towards the present as mosquitto weighs them.
 */
import type { Limits } from "../base/index.ts";
import { fromApplicationMessage } from "./application-message.ts";
import type { Broker } from "./broker.ts";
import type { Deadline } from "./deadlines.ts";
import type { Journal } from "./journal.ts";
import type { MemoryWatch } from "./memory-watch.ts";
import { placeBytes } from "./queue-limits.ts";
import type { Session } from "./session.ts";

const minutes = [1, 5, 15] as const;

interface Load {
  readonly topic: string;
  readonly read: () => number;
  last: number;
  readonly averages: number[];
}

export class SysTopics {
  readonly #broker: Broker;
  readonly #seconds: number;
  readonly #startedAt: number;
  readonly #loads: Load[];
  readonly #published = new Map<string, string>();
  #clientsMaximum = 0;
  #deadline: Deadline | undefined;

  constructor(broker: Broker, version: string, seconds: number) {
    this.#broker = broker;
    this.#seconds = seconds;
    this.#startedAt = broker.clock.now();
    this.#loads = loadsOf(broker);
    if (seconds === 0) return;
    this.#publish("version", `tStack ${version}`);
    this.#round();
  }

  stop(): void {
    if (this.#deadline !== undefined) this.#broker.deadlines.cancel(this.#deadline);
  }

  #round(): void {
    for (const [topic, value] of Object.entries(this.#figures()))
      this.#publish(topic, String(value));
    for (const load of this.#loads) this.#publishLoad(load);
    const at = this.#broker.clock.now() + this.#seconds * 1000;
    this.#deadline = this.#broker.deadlines.schedule(at, () => this.#round());
  }

  #figures(): Record<string, string | number> {
    const { counters, sessions, retained, subscriptions, clock } = this.#broker;
    const { routes, limitHits, memory, limits, sharedQueues } = this.#broker;
    limitHits.counts.routesBytesMax = routes.forgotten;
    const held = countSessions(sessions.all());
    held.queued += sharedQueues.messages;
    held.queuedBytes += sharedQueues.bytes - sharedQueues.messages * placeBytes;
    this.#clientsMaximum = Math.max(this.#clientsMaximum, held.connected);
    return {
      uptime: `${Math.floor((clock.now() - this.#startedAt) / 1000)} seconds`,
      "clients/total": sessions.size,
      "clients/connected": held.connected,
      "clients/active": held.connected,
      "clients/disconnected": sessions.size - held.connected,
      "clients/inactive": sessions.size - held.connected,
      "clients/maximum": this.#clientsMaximum,
      "clients/expired": counters.sessionsExpired,
      "messages/received": counters.packetsReceived,
      "messages/sent": counters.packetsSent,
      "messages/inflight": held.inFlight,
      "messages/stored": retained.size + held.queued,
      "store/messages/count": retained.size + held.queued,
      "store/messages/bytes": retained.bytes + held.queuedBytes,
      "publish/messages/received": counters.publishReceived,
      "publish/messages/sent": counters.publishSent,
      "publish/messages/dropped": counters.droppedTotal,
      ...withPrefix("publish/messages/dropped", counters.dropped),
      "publish/bytes/received": counters.publishBytesReceived,
      "publish/bytes/sent": counters.publishBytesSent,
      "bytes/received": counters.bytesReceived,
      "bytes/sent": counters.bytesSent,
      "retained messages/count": retained.size,
      "subscriptions/count": subscriptions.count,
      "shared_subscriptions/count": subscriptions.sharedCount,
      ...(memory.isKnown ? memoryFigures(memory, limits) : {}),
      ...withPrefix("storage", storageFigures(this.#broker.journal)),
      ...withPrefix("limits", limitHits.counts),
    };
  }

  #publishLoad(load: Load): void {
    const value = load.read();
    const perMinute = ((value - load.last) * 60) / this.#seconds;
    load.last = value;
    for (const [index, span] of minutes.entries()) {
      const weight = Math.exp(-this.#seconds / (span * 60));
      load.averages[index] = perMinute + weight * (load.averages[index] - perMinute);
      this.#publish(`load/${load.topic}/${span}min`, load.averages[index].toFixed(2));
    }
  }

  /** Only what has changed is published again. */
  #publish(name: string, value: string): void {
    const topic = `$SYS/broker/${name}`;
    if (this.#published.get(topic) === value) return;
    this.#published.set(topic, value);
    const message = {
      topic,
      payload: Buffer.from(value),
      qos: 0,
      retain: true,
      properties: {},
    } as const;
    // Past topicLevelsMax, which is about other people's topics.
    this.#broker.publishMessage(fromApplicationMessage(message, "", this.#broker.clock.now()));
  }
}

function storageFigures(journal: Journal): Record<string, string | number> {
  return {
    state: journal.failure === undefined ? "ok" : `failing: ${journal.failure}`,
    durability: journal.durability,
    commits: journal.commits,
    "commit/milliseconds": journal.commitMilliseconds,
    "changes/written": journal.changesWritten,
    "changes/spared": journal.rowsCancelled,
    "unsynced/bytes": journal.unsyncedBytes,
  };
}

function loadsOf({ counters }: Broker): Load[] {
  const readers: Record<string, () => number> = {
    "messages/received": () => counters.packetsReceived,
    "messages/sent": () => counters.packetsSent,
    "publish/received": () => counters.publishReceived,
    "publish/sent": () => counters.publishSent,
    "publish/dropped": () => counters.droppedTotal,
    "bytes/received": () => counters.bytesReceived,
    "bytes/sent": () => counters.bytesSent,
    sockets: () => counters.socketsOpened,
    connections: () => counters.connectionsAccepted,
  };
  return Object.entries(readers).map(([topic, read]) => ({
    topic,
    read,
    last: 0,
    averages: [0, 0, 0],
  }));
}

function memoryFigures({ bytes, isShort, shortages }: MemoryWatch, { memoryBytesMax }: Limits) {
  return {
    "memory/bytes": bytes,
    "memory/maximum": memoryBytesMax,
    "memory/state": isShort ? "short" : "enough",
    "memory/shortages": shortages,
  };
}

function withPrefix<Value>(prefix: string, counts: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(counts).map(([name, count]) => [`${prefix}/${name}`, count]),
  );
}

interface SessionFigures {
  connected: number;
  inFlight: number;
  queued: number;
  queuedBytes: number;
}

function countSessions(sessions: Iterable<Session>): SessionFigures {
  const counted = { connected: 0, inFlight: 0, queued: 0, queuedBytes: 0 };
  for (const session of sessions) {
    if (session.connection !== undefined) counted.connected++;
    counted.inFlight += session.inFlightMessages;
    counted.queued += session.queuedMessages;
    counted.queuedBytes += session.queuedBytes;
  }
  return counted;
}
