/** Lets a bounded number in at one time; a bounded number waits, in order, until each one's signal aborts. */
export class Turnstile {
  readonly #insideMax: number;
  readonly #waitingMax: number;
  /** Those who wait; called when it is their turn. */
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  constructor(insideMax: number, waitingMax: number) {
    this.#insideMax = insideMax;
    this.#waitingMax = waitingMax;
  }

  /** Whoever is "in" leaves, exactly once. */
  async enter(signal: AbortSignal): Promise<"in" | "full" | "aborted"> {
    if (signal.aborted) return "aborted";
    if (this.#inside < this.#insideMax) {
      this.#inside++;
      return "in";
    }
    if (this.#waiting.size >= this.#waitingMax) return "full";
    return new Promise((resolve) => {
      const enter = () => {
        signal.removeEventListener("abort", abort);
        resolve("in");
      };
      const abort = () => {
        this.#waiting.delete(enter);
        resolve("aborted");
      };
      this.#waiting.add(enter);
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  leave(): void {
    for (const enter of this.#waiting) {
      // The place is handed over, so the number of those inside stays as it is.
      this.#waiting.delete(enter);
      enter();
      return;
    }
    this.#inside--;
  }
}
