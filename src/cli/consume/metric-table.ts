/** What Prometheus is told: names after its conventions, and what each means. `docs/tconsume.md` lists the same. */

import type { PipelineCounts, SinkCounts } from "../pipeline/index.ts";
import type { ConsumerState } from "./consumer.ts";

/** How it stands now. */
export interface Figures {
  readonly counts: PipelineCounts;
  readonly consumer: ConsumerState;
}

export interface Metric {
  readonly kind: "counter" | "gauge";
  readonly help: string;
  read(figures: Figures): number;
}

export const metrics: Readonly<Record<string, Metric>> = {
  tconsume_messages_total: {
    kind: "counter",
    help: "Messages taken from the broker.",
    read: ({ counts }) => counts.messages,
  },
  tconsume_acknowledged_total: {
    kind: "counter",
    help: "Messages acknowledged to the broker.",
    read: ({ consumer }) => consumer.acknowledged,
  },
  tconsume_dropped_total: {
    kind: "counter",
    help: "Messages that the mapping makes nothing of.",
    read: ({ counts }) => counts.dropped,
  },
  tconsume_unreadable_total: {
    kind: "counter",
    help: "Messages that the mapping cannot read: dead letters.",
    read: ({ counts }) => counts.unreadable,
  },
  tconsume_pending_messages: {
    kind: "gauge",
    help: "Messages in memory that are not safe in every sink yet.",
    read: ({ counts }) => counts.pendingMessages,
  },
  tconsume_pending_bytes: {
    kind: "gauge",
    help: "Memory of these.",
    read: ({ counts }) => counts.pendingBytes,
  },
  tconsume_oldest_pending_seconds: {
    kind: "gauge",
    help: "Age of the message that waits longest for its acknowledgement.",
    read: ({ consumer: { oldestArrivedAt } }) =>
      oldestArrivedAt === undefined ? 0 : Math.max(0, Date.now() / 1000 - oldestArrivedAt / 1e6),
  },
  tconsume_connected: {
    kind: "gauge",
    help: "1 while the broker is connected.",
    read: ({ consumer }) => Number(consumer.isOnline),
  },
  tconsume_connections_total: {
    kind: "counter",
    help: "Connections that the broker has accepted.",
    read: ({ consumer }) => consumer.connections,
  },
};

export interface SinkMetric {
  readonly kind: "counter" | "gauge";
  readonly help: string;
  read(sink: SinkCounts): number;
}

/** With the label `sink`. */
export const sinkMetrics: Readonly<Record<string, SinkMetric>> = {
  tconsume_sink_messages_total: {
    kind: "counter",
    help: "Messages that the destination has.",
    read: ({ messages }) => messages,
  },
  tconsume_sink_records_total: {
    kind: "counter",
    help: "Records that it made of them.",
    read: ({ records }) => records,
  },
  tconsume_sink_batches_total: {
    kind: "counter",
    help: "Writes to the destination.",
    read: ({ batches }) => batches,
  },
  tconsume_sink_retries_total: {
    kind: "counter",
    help: "Writes that failed because the destination was unavailable.",
    read: ({ retries }) => retries,
  },
  tconsume_sink_refused_total: {
    kind: "counter",
    help: "Messages that the destination refused: dead letters.",
    read: ({ refused }) => refused,
  },
  tconsume_spool_messages: {
    kind: "gauge",
    help: "Messages on the disk that wait for the destination.",
    read: ({ spooledMessages }) => spooledMessages,
  },
  tconsume_spool_bytes: {
    kind: "gauge",
    help: "Bytes of these.",
    read: ({ spooledBytes }) => spooledBytes,
  },
};
