/** Which messages were taken and are not safe, by their sequence in the pipeline, for who waits until none is. */

export class Settling {
  #taken = 0;
  #safe = 0;
  #waiting: (() => void)[] = [];

  get count(): number {
    return this.#taken - this.#safe;
  }

  get isSettled(): boolean {
    return this.count === 0;
  }

  taken(sequence: number): void {
    this.#taken = sequence;
  }

  safe(sequence: number): void {
    this.#safe = sequence;
    if (this.isSettled) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves once nothing is left. */
  settled(): Promise<void> {
    if (this.isSettled) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
