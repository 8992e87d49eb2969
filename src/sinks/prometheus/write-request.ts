/**
 * Samples as the body of a remote write, version 1: https://prometheus.io/docs/specs/remote_write_spec. Always holds:
 * each series is there once, its samples in the order of their times, and never two of one millisecond: the younger
 * counts.
 */
import { PbfWriter } from "pbf";
import { compress } from "snappyjs";
import { type Metric, type Sample, toMilliseconds } from "./format.ts";

export const writeRequestHeaders = {
  "content-type": "application/x-protobuf",
  "content-encoding": "snappy",
  "x-prometheus-remote-write-version": "0.1.0",
} as const;

interface TimeSeries {
  readonly metric: Metric;
  readonly samples: Sample[];
}

export function encodeWriteRequest(samples: readonly Sample[]): Buffer {
  const all = new Map<string, TimeSeries>();
  for (const sample of samples) {
    const { metric } = sample;
    const series = all.get(metric.text);
    if (series === undefined) all.set(metric.text, { metric, samples: [sample] });
    else series.samples.push(sample);
  }
  const writer = new PbfWriter();
  for (const series of all.values()) writer.writeMessage(1, writeTimeSeries, series);
  return Buffer.from(compress(writer.finish()));
}

function writeTimeSeries({ metric, samples }: TimeSeries, writer: PbfWriter): void {
  writer.realloc(metric.labels.length);
  writer.buf.set(metric.labels, writer.pos);
  writer.pos += metric.labels.length;
  // Stable: of the same time, what came later stays later.
  samples.sort((one, other) => one.time - other.time);
  for (const [index, sample] of samples.entries()) {
    const next = samples[index + 1];
    if (next !== undefined && toMilliseconds(next.time) === toMilliseconds(sample.time)) continue;
    writer.writeMessage(2, writeValue, sample);
  }
}

function writeValue({ time, value }: Sample, writer: PbfWriter): void {
  writer.writeDoubleField(1, value);
  writer.writeVarintField(2, toMilliseconds(time));
}
