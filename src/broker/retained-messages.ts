/**
 * The last message of each topic that was published with RETAIN, for those who subscribe later. They belong to no
 * session and end with none, 3.1.1: [MQTT-3.1.2-7].
 * Bounded in number and bytes; an expired message is gone when its time has come, not when somebody asks.
 */
import type { Clock, Limits } from "../base/index.ts";
import { RetainedTree } from "../topics/index.ts";
import type { Deadline, Deadlines } from "./deadlines.ts";
import type { Journal } from "./journal.ts";
import type { MemoryWatch } from "./memory-watch.ts";
import type { Message } from "./message.ts";

/** What a retained message costs beside its bytes: its object, its buffer, its expiry. */
const messageCostBytes = 500;
/** What each level of its topic costs, unless it shares that with others. */
const levelCostBytes = 100;

export interface RetainedMessagesOptions {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly journal: Pick<Journal, "isIdle" | "retain">;
  readonly memory: Pick<MemoryWatch, "isShort">;
}

export class RetainedMessages {
  /** Of topics, properties and payloads. */
  bytes = 0;
  /** The same and what it costs to hold them: what the limit is about. */
  #costBytes = 0;
  readonly #tree = new RetainedTree<Message>();
  readonly #expiries = new Map<string, Deadline>();
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #journal: Pick<Journal, "isIdle" | "retain">;
  readonly #memory: Pick<MemoryWatch, "isShort">;

  constructor({ limits, clock, deadlines, journal, memory }: RetainedMessagesOptions) {
    this.#limits = limits;
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.#journal = journal;
    this.#memory = memory;
  }

  get size(): number {
    return this.#tree.size;
  }

  /** Keeps, replaces or (empty payload) deletes. False when a limit refuses it: the message before stays. */
  store(message: Message): boolean {
    if (message.payloadStart === message.payloadEnd) {
      this.delete(message.topic, message.qos > 0); // [MQTT-3.3.1-6] [MQTT-3.3.1-7], 3.1.1: [MQTT-3.3.1-10] [MQTT-3.3.1-11]
      return true;
    }
    const previous = this.#tree.get(message.topic);
    const costBytes = this.#costBytes + costOf(message) - (previous ? costOf(previous) : 0);
    const isFull =
      costBytes > this.#limits.retainedBytesMax || (previous === undefined && this.#takesNoTopic);
    if (isFull) return false;
    this.#forgetExpiry(message.topic);
    this.bytes += message.size - (previous?.size ?? 0);
    this.#costBytes = costBytes;
    const kept = message.keepForLong();
    this.#tree.set(message.topic, kept); // [MQTT-3.3.1-5], 3.1.1: [MQTT-3.3.1-5]
    this.#scheduleExpiry(kept);
    if (!isOwnTopic(kept.topic)) this.#journal.retain(kept.topic, kept, message.qos > 0);
    return true;
  }

  /** A message that comes out of the storage, where it stays unless it has expired. */
  restore(message: Message): void {
    if (message.hasExpired(this.#clock.now())) {
      this.#journal.retain(message.topic, undefined, false);
      return;
    }
    this.bytes += message.size;
    this.#costBytes += costOf(message);
    this.#tree.set(message.topic, message);
    this.#scheduleExpiry(message);
  }

  get #takesNoTopic(): boolean {
    return this.size >= this.#limits.retainedMessagesMax || this.#memory.isShort;
  }

  /** `isPromise` where somebody is told of it. */
  delete(topic: string, isPromise = true): void {
    const previous = this.#tree.delete(topic);
    if (previous === undefined) {
      // It may be gone and not yet safe: who asks again is answered when it is.
      const mustWait = isPromise && !this.#journal.isIdle && !isOwnTopic(topic);
      if (mustWait) this.#journal.retain(topic, undefined, true);
      return;
    }
    this.bytes -= previous.size;
    this.#costBytes -= costOf(previous);
    this.#forgetExpiry(topic);
    if (!isOwnTopic(topic)) this.#journal.retain(topic, undefined, isPromise);
  }

  get(topic: string): Message | undefined {
    return this.#tree.get(topic);
  }

  /** Walks lazily: messages that come or go meanwhile may or may not be seen. */
  match(filter: string): IterableIterator<Message> {
    return this.#tree.match(filter);
  }

  /** The same for a walk that is spread over ticks: `undefined` is a good place to stop. */
  matchInSteps(filter: string): Iterator<Message | undefined> {
    return this.#tree.matchInSteps(filter);
  }

  #scheduleExpiry(message: Message): void {
    if (message.expiresAt === Number.POSITIVE_INFINITY) return;
    const at = Math.max(message.expiresAt, this.#clock.now());
    const { topic } = message;
    this.#expiries.set(
      topic,
      this.#deadlines.schedule(at, () => this.delete(topic)),
    );
  }

  #forgetExpiry(topic: string): void {
    const deadline = this.#expiries.get(topic);
    if (deadline === undefined) return;
    this.#deadlines.cancel(deadline);
    this.#expiries.delete(topic);
  }
}

/** `$SYS` is said anew after each start. */
function isOwnTopic(topic: string): boolean {
  return topic.startsWith("$SYS/");
}

function costOf({ topic, size }: Message): number {
  let levels = 1;
  for (let at = topic.indexOf("/"); at >= 0; at = topic.indexOf("/", at + 1)) levels++;
  return size + messageCostBytes + levels * levelCostBytes;
}
