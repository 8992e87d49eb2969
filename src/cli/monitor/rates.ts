/**
 * How fast counters rise: the difference of two looks over the time between them. A counter that is new, or that has fallen
 * because its device came anew, has no rate until the next look.
 */
export class Rates {
  readonly #nowSeconds: () => number;
  #before = new Map<string, number>();
  #beforeSeconds = Number.NaN;
  #current = new Map<string, number>();
  #currentSeconds = Number.NaN;

  /** @param nowSeconds of a clock that nobody sets. */
  constructor(nowSeconds: () => number) {
    this.#nowSeconds = nowSeconds;
  }

  /** Begins another look. Counters that are not looked at any more are forgotten. */
  look(): void {
    this.#before = this.#current;
    this.#beforeSeconds = this.#currentSeconds;
    this.#current = new Map();
    this.#currentSeconds = this.#nowSeconds();
  }

  /** By how much it rose since the last look; undefined where that is not known. */
  rise(counter: string, value: number): number | undefined {
    this.#current.set(counter, value);
    const before = this.#before.get(counter);
    return before === undefined || value < before ? undefined : value - before;
  }

  perSecond(counter: string, value: number): number | undefined {
    const seconds = this.#currentSeconds - this.#beforeSeconds;
    const rise = this.rise(counter, value);
    return rise === undefined || !(seconds > 0) ? undefined : rise / seconds;
  }
}
