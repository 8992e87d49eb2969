/**
 * The last message of each topic that was published with RETAIN, for those who subscribe later. They belong to no
 * session and end with none, 3.1.1: [MQTT-3.1.2-7].
 * Bounded in number and bytes; an expired message is gone when its time has come, not when somebody asks.
 */
import type { Clock, Limits } from "../base/index.ts";
import { RetainedTree } from "../topics/index.ts";
import type { Deadline, Deadlines } from "./deadlines.ts";
import type { MemoryWatch } from "./memory-watch.ts";
import type { Message } from "./message.ts";

/** What a retained message costs beside its bytes: its object, its buffer, its expiry. */
const messageCostBytes = 500;
/** What each level of its topic costs, unless it shares that with others. */
const levelCostBytes = 100;

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
  readonly #memory: Pick<MemoryWatch, "isShort">;

  constructor(
    limits: Limits,
    clock: Clock,
    deadlines: Deadlines,
    memory: Pick<MemoryWatch, "isShort"> = { isShort: false },
  ) {
    this.#limits = limits;
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.#memory = memory;
  }

  get size(): number {
    return this.#tree.size;
  }

  /** Keeps, replaces or (empty payload) deletes. False when a limit refuses it: the message before stays. */
  store(message: Message): boolean {
    if (message.payloadStart === message.payloadEnd) {
      this.delete(message.topic); // [MQTT-3.3.1-6] [MQTT-3.3.1-7], 3.1.1: [MQTT-3.3.1-10] [MQTT-3.3.1-11]
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
    this.#tree.set(message.topic, message.keep()); // [MQTT-3.3.1-5], 3.1.1: [MQTT-3.3.1-5]
    this.#scheduleExpiry(message);
    return true;
  }

  get #takesNoTopic(): boolean {
    return this.size >= this.#limits.retainedMessagesMax || this.#memory.isShort;
  }

  delete(topic: string): void {
    const previous = this.#tree.delete(topic);
    if (previous === undefined) return;
    this.bytes -= previous.size;
    this.#costBytes -= costOf(previous);
    this.#forgetExpiry(topic);
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

function costOf({ topic, size }: Message): number {
  let levels = 1;
  for (let at = topic.indexOf("/"); at >= 0; at = topic.indexOf("/", at + 1)) levels++;
  return size + messageCostBytes + levels * levelCostBytes;
}
