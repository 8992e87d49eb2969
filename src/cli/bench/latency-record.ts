/**
 * Durations, and their percentiles within 0.1 %: a count for each microsecond up to 2 ms, and above for each
 * 1024th part of a power of two. Our own because it is in the way of every message: `record` takes 4 ns
 * here, and 30 ns in Node's histogram, which was a quarter of what tbench needs to receive a message.
 */

/** In milliseconds. */
export interface Percentiles {
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

const digitBits = 10;
const exponents = 32 - digitBits;
/** More than an hour. */
const longestMicroseconds = 0xffff_ffff;

export class LatencyRecord {
  count = 0;
  #sum = 0;
  #max = 0;
  readonly #counts = new Float64Array((exponents + 1) << digitBits);

  record(microseconds: number): void {
    const value = microseconds > 0 ? Math.min(Math.round(microseconds), longestMicroseconds) : 0;
    const shift = Math.max(0, 31 - digitBits - Math.clz32(value));
    this.#counts[(shift << digitBits) + (value >>> shift)] += 1;
    this.count += 1;
    this.#sum += value;
    if (value > this.#max) this.#max = value;
  }

  /** The largest value that is no further than `percentile` per cent from the smallest; 0 of none. */
  percentileMilliseconds(percentile: number): number {
    let left = Math.ceil((this.count * percentile) / 100);
    if (left === 0) return 0;
    for (let index = 0; index < this.#counts.length; index += 1) {
      left -= this.#counts[index];
      if (left <= 0) return Math.min(highestOf(index), this.#max) / 1000;
    }
    return this.#max / 1000;
  }

  /** Undefined where nothing was recorded. */
  summarize(): Percentiles | undefined {
    if (this.count === 0) return undefined;
    return {
      mean: Math.round(this.#sum / this.count) / 1000,
      p50: this.percentileMilliseconds(50),
      p90: this.percentileMilliseconds(90),
      p99: this.percentileMilliseconds(99),
      p999: this.percentileMilliseconds(99.9),
      max: this.#max / 1000,
    };
  }
}

/** The highest value that is counted at `index`. */
function highestOf(index: number): number {
  const shift = Math.max(0, (index >> digitBits) - 1);
  return (index - (shift << digitBits) + 1) * 2 ** shift - 1;
}
