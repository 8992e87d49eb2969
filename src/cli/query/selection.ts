/** What of the file is asked for: its series, and their readings in the order of time. */
import type {
  Intervals,
  ReadingOrder,
  ReadingsFile,
  StoredReading,
  StoredSeries,
} from "../../sinks/sqlite/index.ts";
import { matchesFilter } from "../../topics/index.ts";
import { mergeByTime, type SeriesReading } from "./merge.ts";
import type { QueryOptions } from "./options.ts";
import { localOffset } from "./times.ts";

/** In memory, of all series together; but a page is no smaller than it is worth to ask for. */
const rowsInMemory = 20_000;
const pageRowsMin = 16;
const pageRowsMax = 500;

export class Selection {
  readonly series: readonly StoredSeries[];
  readonly #file: ReadingsFile;
  readonly #options: QueryOptions;
  readonly #intervals: Intervals | undefined;

  constructor(file: ReadingsFile, options: QueryOptions) {
    const { filter, field, every } = options;
    this.#file = file;
    this.#options = options;
    this.#intervals = every === undefined ? undefined : toIntervals(options, every);
    this.series = file
      .listSeries()
      .filter(({ topic }) => matchesFilter(filter, topic))
      .filter((series) => field === undefined || series.field === field);
  }

  /** All of it, the oldest first. */
  readAll(): Iterable<SeriesReading> {
    return this.#merge(this.#summable(), false);
  }

  /** The newest `limit`, the oldest of them first, and whether there are older ones. */
  readNewest(limit: number): { readonly readings: SeriesReading[]; readonly hasMore: boolean } {
    const readings: SeriesReading[] = [];
    for (const reading of this.#merge(this.#summable(), true)) {
      if (readings.length === limit) return { readings: readings.reverse(), hasMore: true };
      readings.push(reading);
    }
    return { readings: readings.reverse(), hasMore: false };
  }

  /** The newest reading of each series that has one, in the order of the series. */
  *readLast(): Generator<SeriesReading> {
    const newest = { isDescending: true, pageRows: 1 };
    for (const series of this.series) {
      const { value, done } = this.#file.read(series, this.#options, newest).next();
      if (done !== true) yield { series, ...value };
    }
  }

  /** Series of which an interval can have one value: texts have no mean. */
  #summable(): readonly StoredSeries[] {
    const { every, aggregate } = this.#options;
    if (every === undefined || aggregate === "last" || aggregate === "count") return this.series;
    return this.series.filter(({ type }) => type !== "string");
  }

  #merge(series: readonly StoredSeries[], isDescending: boolean): Generator<SeriesReading> {
    const share = Math.ceil(rowsInMemory / series.length);
    const order = { isDescending, pageRows: Math.min(pageRowsMax, Math.max(pageRowsMin, share)) };
    const sources = series.map((each) => [each, this.#readingsOf(each, order)] as const);
    return mergeByTime(sources, isDescending);
  }

  #readingsOf(series: StoredSeries, order: ReadingOrder): Iterator<StoredReading> {
    const { isDescending } = order;
    if (this.#intervals === undefined) return this.#file.read(series, this.#options, order);
    return this.#file.readIntervals(series, this.#options, { ...this.#intervals, isDescending });
  }
}

/** Days begin at midnight, by the time zone as it is now. */
export function toIntervals({ aggregate, now }: QueryOptions, every: number): Intervals {
  return { every, aggregate, offset: localOffset(now) };
}
