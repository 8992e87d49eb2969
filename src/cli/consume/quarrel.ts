/** Suspects another client with the same identifier: before MQTT 5 a broker closes without a word when one throws us out. */

const connectionsMax = 5;
const withinMilliseconds = 30_000;

export class Quarrel {
  readonly #clientId: string;
  #times: number[] = [];
  #isTold = false;

  constructor(clientId: string) {
    this.#clientId = clientId;
  }

  /** What to tell at this connection, once. @param now milliseconds of a monotonic clock */
  connected(now: number): string | undefined {
    this.#times = [...this.#times, now].slice(-connectionsMax);
    const isFrequent = this.#times.length === connectionsMax;
    if (this.#isTold || !isFrequent || now - this.#times[0] > withinMilliseconds) return undefined;
    this.#isTold = true;
    return (
      `${connectionsMax} connections within ${withinMilliseconds / 1000} s: is another client here as ` +
      `${this.#clientId}, perhaps with a copy of the data folder? Each needs its own, or -i`
    );
  }
}
