/** Readings of many series as one stream in the order of time. Each series is read as far as it is needed. */
import type { StoredReading, StoredSeries } from "../../sinks/sqlite/index.ts";

export interface SeriesReading extends StoredReading {
  readonly series: StoredSeries;
}

interface Source {
  readonly index: number;
  readonly series: StoredSeries;
  readonly readings: Iterator<StoredReading>;
  next: StoredReading;
}

/**
 * `sources` are in the same order of time each, the order of the answer. Of one time they come in the order of the
 * sources, or against it.
 */
export function* mergeByTime(
  sources: Iterable<readonly [StoredSeries, Iterator<StoredReading>]>,
  isDescending: boolean,
): Generator<SeriesReading> {
  const heap: Source[] = [];
  const compare = (one: Source, other: Source) => {
    const difference = one.next.time - other.next.time || one.index - other.index;
    return isDescending ? -difference : difference;
  };
  let index = 0;
  for (const [series, readings] of sources) {
    const { value, done } = readings.next();
    if (done !== true) heap.push({ index, series, readings, next: value });
    index += 1;
  }
  // An array in order is a heap.
  heap.sort(compare);
  while (heap.length > 0) {
    const [source] = heap;
    const { series, next } = source;
    yield { series, time: next.time, value: next.value };
    const { value, done } = source.readings.next();
    if (done !== true) source.next = value;
    else if (heap.length === 1) return;
    else heap[0] = heap.pop() as Source;
    sink(heap, compare);
  }
}

/** The first may belong further down. */
function sink(heap: Source[], compare: (one: Source, other: Source) => number): void {
  const source = heap[0];
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && compare(heap[child + 1], heap[child]) < 0) child += 1;
    if (compare(source, heap[child]) < 0) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = source;
}
