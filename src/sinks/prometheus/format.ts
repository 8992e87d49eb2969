/**
 * Readings as samples of Prometheus: every number of every field is a metric, named after the reading and the field.
 * Always holds: names are of letters, digits and underscores; what is lost by that is kept in the labels `topic`, `name`
 * and `field`, so that samples of two topics are never in one series.
 */
import { PbfWriter } from "pbf";
import { type Reading, type Series, valueField } from "../../readings/index.ts";
import type { MappedMessage } from "../sink.ts";

export interface Sample {
  readonly metric: Metric;
  /** Microseconds, as it was read: Prometheus has milliseconds. */
  readonly time: number;
  readonly value: number;
}

export interface Metric {
  /** `site_hall_temp{topic="site/hall/temp"}`: what tells it from others. */
  readonly text: string;
  /** Its labels as in a `TimeSeries` of https://prometheus.io/docs/specs/remote_write_spec. */
  readonly labels: Uint8Array;
}

/** Text is left out. */
export function toSamples({ readings }: MappedMessage): readonly Sample[] {
  return readings.flatMap(toSamplesOfReading);
}

function toSamplesOfReading({ series, time, fields }: Reading): readonly Sample[] {
  const samples: Sample[] = [];
  for (const [field, value] of fields) {
    if (typeof value === "string") continue;
    samples.push({ metric: findMetric(series, field), time, value: Number(value) });
  }
  return samples;
}

export function toMilliseconds(time: number): number {
  return Math.floor(time / 1000);
}

/** As in the exposition format. */
export function writeSample({ metric, time, value }: Sample): string {
  return `${metric.text} ${value} ${toMilliseconds(time)}`;
}

const metrics = new WeakMap<Series, Map<string, Metric>>();
/** Of one series: fields come out of payloads, and could be others each time. */
const rememberedFieldsMax = 256;

function findMetric(series: Series, field: string): Metric {
  let ofSeries = metrics.get(series);
  if (ofSeries === undefined) {
    ofSeries = new Map();
    metrics.set(series, ofSeries);
  }
  let metric = ofSeries.get(field);
  if (metric === undefined) {
    metric = describeMetric(series, field);
    if (ofSeries.size < rememberedFieldsMax) ofSeries.set(field, metric);
  }
  return metric;
}

function describeMetric(series: Series, field: string): Metric {
  const labels = [...labelsOf(series, field)].sort(([one], [other]) => (one < other ? -1 : 1));
  const shown = labels
    .filter(([name]) => name !== nameLabel)
    .map(([name, value]) => `${name}="${value.replace(/["\\]/g, "\\$&").replace(/\n/g, "\\n")}"`);
  return {
    text: `${nameMetric(series, field)}{${shown.join(",")}}`,
    labels: encodeLabels(labels),
  };
}

const nameLabel = "__name__";
/** Ours: tags of these names get a `tag_` before them. */
const ownLabels = new Set(["topic", "name", "field"]);

function labelsOf(series: Series, field: string): ReadonlyMap<string, string> {
  const labels = new Map([
    [nameLabel, nameMetric(series, field)],
    ["topic", series.topic],
  ]);
  if (series.name !== series.topic && clean(series.name) !== series.name) {
    labels.set("name", series.name);
  }
  if (field !== valueField) labels.set("field", field);
  for (const [tag, value] of series.tags) labels.set(nameTag(tag, labels), value);
  return labels;
}

function nameMetric({ name }: Series, field: string): string {
  return clean(field === valueField ? name : `${name}_${field}`);
}

/** Names that begin with two underscores belong to Prometheus. Two tags never have one name. */
function nameTag(tag: string, taken: ReadonlyMap<string, string>): string {
  const cleaned = clean(tag);
  const name = ownLabels.has(cleaned) || cleaned.startsWith("__") ? `tag_${cleaned}` : cleaned;
  let free = name;
  for (let number = 2; taken.has(free); number++) free = `${name}_${number}`;
  return free;
}

/** Colons are allowed, and meant for rules of Prometheus itself. */
function clean(name: string): string {
  const cleaned = name.replace(/\W/gu, "_");
  return /^\d/.test(cleaned) || cleaned === "" ? `_${cleaned}` : cleaned;
}

function encodeLabels(labels: readonly (readonly [name: string, value: string])[]): Uint8Array {
  const writer = new PbfWriter();
  for (const label of labels) writer.writeMessage(1, writeLabel, label);
  return writer.finish();
}

function writeLabel([name, value]: readonly [string, string], writer: PbfWriter): void {
  writer.writeStringField(1, name);
  writer.writeStringField(2, value);
}
