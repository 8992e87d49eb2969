/** A wait that somebody else may end. One at a time; nobody is woken who does not wait. */
export class Pause {
  #end: (() => void) | undefined;

  /** Resolves at `wake`, or after so long. */
  wait(milliseconds?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer =
        milliseconds === undefined ? undefined : setTimeout(() => this.wake(), milliseconds);
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  wake(): void {
    const end = this.#end;
    this.#end = undefined;
    end?.();
  }
}

/** Resolves with the promise, or after so long. */
export async function within(seconds: number, promise: Promise<unknown>): Promise<void> {
  const pause = new Pause();
  await Promise.race([promise, pause.wait(seconds * 1000)]).finally(() => pause.wake());
}
