/**
 * The messages that one session or one shared subscription has lost, by reason: counted for all, told in the log at
 * the first of each reason, so that nothing is dropped silently and a flood does not flood the log.
 */
import type { Clock, Log } from "../base/index.ts";
import type { Counters, DropReason } from "./counters.ts";
import type { Gaps } from "./gaps.ts";

interface DropContext {
  readonly clock: Pick<Clock, "now">;
  readonly counters: Counters;
  readonly log: Log;
}

const cures: Partial<Record<DropReason, string>> = {
  slowReader: "it reads more slowly than it is sent QoS 0 (outboxBytesMax)",
  queueFull: "its queue is full (queueMessagesMax, queueBytesMax)",
  memoryFull: "memory is short and it has not taken what it was sent (memoryBytesMax)",
  packetTooLarge: "they are beyond its Maximum Packet Size",
};

export class Drops {
  readonly #name: string;
  readonly #context: DropContext;
  /** Those that the client is still to be told of; undefined when it does not ask. */
  gaps: Gaps | undefined;
  #counts: Partial<Record<DropReason, number>> | undefined;

  /** `name` is how the log calls the loser: a client identifier, or `$share/group/filter`. */
  constructor(name: string, context: DropContext) {
    this.#name = name;
    this.#context = context;
  }

  /** `topic` is theirs, where they have one and it is known. */
  count(reason: DropReason, messages: number, topic?: string): void {
    if (messages === 0) return;
    this.gaps?.add(reason, messages, topic, this.#context.clock.now());
    this.#add(reason, messages);
  }

  /** One that the client itself published: no gap in what it gets. */
  countPublished(reason: DropReason): void {
    this.#add(reason, 1);
  }

  #add(reason: DropReason, messages: number): void {
    this.#context.counters.dropped[reason] += messages;
    this.#counts ??= {};
    const before = this.#counts[reason] ?? 0;
    this.#counts[reason] = before + messages;
    const cure = cures[reason];
    if (before > 0 || cure === undefined) return;
    this.#context.log.warn({ client: this.#name, reason }, `messages for it are dropped: ${cure}`);
  }

  /** What was lost since the last time this was asked; undefined for nothing. The log will tell again. */
  take(): Partial<Record<DropReason, number>> | undefined {
    const counts = this.#counts;
    this.#counts = undefined;
    return counts;
  }
}
