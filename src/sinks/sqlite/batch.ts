/**
 * A batch on its way to the worker: three numbers for each row in one buffer that changes hands, and the texts. Series
 * are numbered as they come, and described once, with the first batch that has them; when there are too many the
 * numbers begin anew.
 */
import type { Series } from "../../readings/index.ts";
import type { MappedMessage } from "../sink.ts";
import { type SeriesRow, toSeriesRow, typeOf } from "./format.ts";
import { toSeconds, type ValueType } from "./schema.ts";

export interface EncodedBatch {
  /** What the worker knows of series is no longer true. */
  readonly isFresh: boolean;
  /** Of the numbers that follow on those that the worker knows. */
  readonly series: readonly SeriesRow[];
  /** For each row: the number of its series, seconds since 1970, the value or the index of its text. */
  readonly rows: Float64Array<ArrayBuffer>;
  readonly texts: readonly string[];
}

type SeriesNumbers = Readonly<Record<ValueType, Map<string, number>>>;

/** Numbers for one row. */
export const rowWidth = 3;
const seriesCountMax = 50_000;

export class BatchEncoder {
  readonly #seriesMax: number;
  /** By field. */
  #numbers = new WeakMap<Series, SeriesNumbers>();
  #count = 0;
  #added: SeriesRow[] = [];

  constructor(seriesMax = seriesCountMax) {
    this.#seriesMax = seriesMax;
  }

  encode(batch: readonly MappedMessage[]): EncodedBatch {
    const isFresh = this.#count === 0 || this.#count > this.#seriesMax;
    if (isFresh) {
      this.#numbers = new WeakMap();
      this.#count = 0;
    }
    this.#added = [];
    const rows = new Float64Array(countRows(batch) * rowWidth);
    const texts: string[] = [];
    let at = 0;
    for (const { readings } of batch) {
      for (const { series, time, fields } of readings) {
        const numbers = this.#numbersOf(series);
        const seconds = toSeconds(time);
        for (const [field, value] of fields) {
          const type = typeOf(value);
          rows[at] = numbers[type].get(field) ?? this.#add(numbers, series, field, type);
          rows[at + 1] = seconds;
          rows[at + 2] = typeof value === "string" ? texts.push(value) - 1 : Number(value);
          at += rowWidth;
        }
      }
    }
    return { isFresh, series: this.#added, rows, texts };
  }

  #numbersOf(series: Series): SeriesNumbers {
    let numbers = this.#numbers.get(series);
    if (numbers === undefined) {
      numbers = { number: new Map(), string: new Map(), boolean: new Map() };
      this.#numbers.set(series, numbers);
    }
    return numbers;
  }

  #add(numbers: SeriesNumbers, series: Series, field: string, type: ValueType): number {
    const number = this.#count++;
    numbers[type].set(field, number);
    this.#added.push(toSeriesRow(series, field, type));
    return number;
  }
}

function countRows(batch: readonly MappedMessage[]): number {
  let count = 0;
  for (const { readings } of batch) for (const { fields } of readings) count += fields.size;
  return count;
}
