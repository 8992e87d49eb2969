/**
 * What a 5.0 client is told of messages that it has lost: one marker for each reason, on a topic of its own, ahead of the next
 * message that it gets. Only for a client that asked for it with a subscription to that topic.
 */
import { fromApplicationMessage } from "./application-message.ts";
import type { DropReason } from "./counters.ts";
import type { Message } from "./message.ts";

/** The client identifier follows. */
const gapTopicStart = "$tstack/gap/";

/** Topics that one marker names, and how long they may be: a marker must not be larger than what it stands for. */
const topicsMax = 20;
const topicLengthMax = 200;

/** A client identifier with wildcards has none: as a filter it would be about others too. */
export function isGapTopic(topic: string, clientIdentifier: string): boolean {
  const isOwn =
    topic.startsWith(gapTopicStart) && topic.slice(gapTopicStart.length) === clientIdentifier;
  return isOwn && !/[+#]/.test(topic);
}

export function gapTopic(clientIdentifier: string): string {
  return `${gapTopicStart}${clientIdentifier}`;
}

/** What a marker says, as JSON. */
export interface Gap {
  /** Messages lost. */
  count: number;
  /** Some of their topics; `moreTopics` where there were others, or where they are not known. */
  readonly topics: string[];
  moreTopics: boolean;
  /** When the first and the last of them were dropped, in milliseconds since 1970. */
  readonly firstAt: number;
  lastAt: number;
  readonly reason: DropReason;
}

export class Gaps {
  readonly #byReason = new Map<DropReason, Gap>();

  get isEmpty(): boolean {
    return this.#byReason.size === 0;
  }

  /** `topic` is undefined where the messages were dropped unread. */
  add(reason: DropReason, count: number, topic: string | undefined, now: number): void {
    let gap = this.#byReason.get(reason);
    if (gap === undefined) {
      gap = { count: 0, topics: [], moreTopics: false, firstAt: now, lastAt: now, reason };
      this.#byReason.set(reason, gap);
    }
    gap.count += count;
    gap.lastAt = now;
    if (topic !== undefined && gap.topics.includes(topic)) return;
    const isNamed = topic !== undefined && topic.length <= topicLengthMax;
    if (isNamed && gap.topics.length < topicsMax) gap.topics.push(topic);
    else gap.moreTopics = true;
  }

  /** All gaps, the oldest first; they are told now. */
  take(): Gap[] {
    const gaps = [...this.#byReason.values()];
    this.#byReason.clear();
    return gaps;
  }
}

export function gapMessage(topic: string, gap: Gap, now: number): Message {
  const payload = Buffer.from(JSON.stringify(gap));
  const properties = { payloadFormatIndicator: 1, contentType: "application/json" } as const;
  return fromApplicationMessage({ topic, payload, qos: 0, retain: false, properties }, "", now);
}
