/**
 * Whether the storage can be written, as people are told: one line in the log when it cannot, or for another reason than
 * before, and one when it can again.
 */
import { type Clock, type Log, TstackError } from "../base/index.ts";

interface StorageFailureOptions {
  readonly storage: { readonly location: string };
  readonly clock: Clock;
  readonly log: Log;
}

export class StorageFailure {
  /** Why the last batch could not be written, for people; undefined while the engine works. */
  why: string | undefined;
  readonly #location: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #since = 0;

  constructor({ storage, clock, log }: StorageFailureOptions) {
    this.#location = storage.location;
    this.#clock = clock;
    this.#log = log;
  }

  failed(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    if (this.why === undefined) this.#since = this.#clock.now();
    if (this.why === why) return;
    this.why = why;
    if (!(error instanceof TstackError)) {
      this.#log.error({ error }, "a bug in tStack or in the storage engine; please report it");
    }
    this.#log.error(
      { location: this.#location },
      `what must be kept cannot be written: ${why}; QoS 1 and 2 are refused or wait until it can, QoS 0 goes on`,
    );
  }

  ended(): void {
    if (this.why === undefined) return;
    this.why = undefined;
    const seconds = Math.ceil((this.#clock.now() - this.#since) / 1000);
    this.#log.warn({ seconds }, "what must be kept can be written again; nothing was lost");
  }
}
