/** The messages that are consumed: plain numbers of a thousand topics in turn. Whoever loads the same rows takes them from here. */
import type { ConsumedMessage } from "../../src/readings/index.ts";
import { readings } from "../scenarios.ts";

/** Microseconds since 1970 of the first. */
const startedAt = Date.UTC(2026, 0, 1) * 1000;
/** As they come at a hundred thousand a second. */
const stepMicroseconds = 10;
/** They repeat after these. */
const payloadCount = 10_000;

const topics = Array.from(
  { length: readings.topics },
  (_, index) => `site/building${index % 10}/room${Math.floor(index / 10)}/temperature`,
);
const values = Array.from({ length: payloadCount }, (_, index) => ((index * 7919) % 10_000) / 100);
const payloads = values.map((value) => Buffer.from(String(value)));

export function topicAt(index: number): string {
  return topics[index % topics.length];
}

/** The number of its series in a database that knows all topics already. */
export function seriesAt(index: number): number {
  return (index % topics.length) + 1;
}

export function valueAt(index: number): number {
  return values[index % payloadCount];
}

/** Microseconds since 1970. */
export function timeAt(index: number): number {
  return startedAt + index * stepMicroseconds;
}

export function messageAt(index: number): ConsumedMessage {
  const payload = payloads[index % payloadCount];
  return { topic: topicAt(index), payload, qos: 1, retain: false, arrivedAt: timeAt(index) };
}
