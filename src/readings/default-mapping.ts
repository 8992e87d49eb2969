/** Readings without a mapping file: numbers become values, objects become fields, the topic becomes the name. */
import { FieldCollector } from "./field-collector.ts";
import type { Mapping } from "./mapping.ts";
import type { ConsumedMessage } from "./message.ts";
import { readAuto } from "./payload-auto.ts";
import type { Reading, Series } from "./reading.ts";
import { RecentMap } from "./recent-map.ts";

const none: readonly Reading[] = [];
const nothing: ReadonlyMap<string, string> = new Map();

/** As docs/mapping.md has it under "Without a file". */
export function createDefaultMapping(): Mapping {
  const remembered = new RecentMap<Series>();
  const findSeries = (topic: string): Series => {
    const known = remembered.get(topic);
    if (known !== undefined) return known;
    const series = { topic, name: topic, tags: nothing, units: nothing };
    remembered.set(topic, series);
    return series;
  };
  return {
    map(message: ConsumedMessage): readonly Reading[] {
      const collector = new FieldCollector();
      collector.add(readAuto(message));
      const { fields } = collector;
      if (fields.size === 0) return none;
      return [{ series: findSeries(message.topic), time: message.arrivedAt, fields }];
    },
  };
}
