/** What the file holds of a message: a row for each value of each reading. */

import { toVisible } from "../../base/index.ts";
import type { FieldValue, Series } from "../../readings/index.ts";
import { isoTime } from "../reading-json.ts";
import type { MappedMessage } from "../sink.ts";
import type { ValueType } from "./schema.ts";

/** A row of `series` without its id. */
export interface SeriesRow {
  readonly topic: string;
  readonly name: string;
  readonly field: string;
  /** A JSON object. */
  readonly tags: string;
  readonly type: ValueType;
  readonly unit: string | null;
}

export function toSeriesRow(series: Series, field: string, type: ValueType): SeriesRow {
  const { topic, name, tags, units } = series;
  const unit = units.get(field) ?? null;
  return { topic, name, field, tags: JSON.stringify(Object.fromEntries(tags)), type, unit };
}

export function typeOf(value: FieldValue): ValueType {
  return typeof value as ValueType;
}

/** A line for each row: `2026-11-23T12:59:50.123456Z topic=... name=... field=... value=21.5 unit=°C tags={}`. */
export function explainRows({ readings }: MappedMessage): string {
  const lines = readings.flatMap(({ series, time, fields }) =>
    Array.from(fields, ([field, value]) => {
      const { topic, name, tags, unit } = toSeriesRow(series, field, typeOf(value));
      const row = { topic, name, field, value, ...(unit !== null && { unit }) };
      const columns = Object.entries(row).map(([key, cell]) => `${key}=${JSON.stringify(cell)}`);
      return toVisible(`${isoTime(time)} ${columns.join(" ")} tags=${tags}`);
    }),
  );
  return lines.join("\n");
}
