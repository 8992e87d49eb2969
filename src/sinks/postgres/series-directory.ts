/**
 * Which number the database has for a series and a field, remembered for as long as the mapping remembers the series.
 * What it knows is true of one database: whoever finds that it is not clears it.
 */
import { hash } from "node:crypto";
import type { Series } from "../../readings/index.ts";
import { describeSeries, type SeriesText } from "./format.ts";

export class SeriesField {
  readonly text: SeriesText;
  /** Of everything that makes the series another one: not the unit. As a UUID, which PostgreSQL keeps in 16 bytes. */
  readonly key: string;
  id: string | undefined;

  constructor(series: Series, field: string) {
    this.text = describeSeries(series, field);
    const { topic, name, tags } = this.text;
    const digest = hash("sha256", JSON.stringify([topic, name, tags, this.text.field]), "hex");
    this.key = digest.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }
}

export class SeriesDirectory {
  #known = new WeakMap<Series, Map<string, SeriesField>>();

  find(series: Series, field: string): SeriesField {
    let fields = this.#known.get(series);
    if (fields === undefined) {
      fields = new Map();
      this.#known.set(series, fields);
    }
    let found = fields.get(field);
    if (found === undefined) {
      found = new SeriesField(series, field);
      fields.set(field, found);
    }
    return found;
  }

  clear(): void {
    this.#known = new WeakMap();
  }
}
