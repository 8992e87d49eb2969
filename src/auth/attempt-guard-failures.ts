/**
 * Who has failed how often in the last while. Always holds: at most `subjectsMax` are remembered, each with no more failures
 * than end in a ban; the subject whose last failure is longest ago is the first, and is forgotten first.
 */
import type { Clock } from "../base/index.ts";

interface Failure {
  readonly at: number;
  /** For an address the user, for a user the address. */
  readonly by: string;
}

export interface FailureCountsOptions {
  readonly clock: Clock;
  readonly failureSecondsMax: number;
  readonly failuresMax: number;
  readonly subjectsMax: number;
}

export class FailureCounts {
  readonly #options: FailureCountsOptions;
  readonly #failures = new Map<string, readonly Failure[]>();

  constructor(options: FailureCountsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#failures.size;
  }

  count(subject: string): number {
    return this.#recent(subject).length;
  }

  /** Answers how many there are now. */
  add(subject: string, by: string): number {
    const { clock, failuresMax, subjectsMax } = this.#options;
    const failures = [...this.#recent(subject), { at: clock.now(), by }].slice(-failuresMax);
    this.#failures.delete(subject);
    this.#failures.set(subject, failures);
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= subjectsMax && this.count(oldest) > 0) break;
      this.#failures.delete(oldest);
    }
    return failures.length;
  }

  /** Takes back the failures of `subject` that were `by` this one. */
  forgive(subject: string, by: string): void {
    const failures = this.#failures.get(subject)?.filter((failure) => failure.by !== by);
    if (failures === undefined) return;
    if (failures.length === 0) this.#failures.delete(subject);
    else this.#failures.set(subject, failures);
  }

  /** Whether there was anything to forget. */
  forget(subject: string): boolean {
    const had = this.count(subject) > 0;
    this.#failures.delete(subject);
    return had;
  }

  /** Who has failed, and how often. */
  *entries(): Iterable<readonly [subject: string, failures: number]> {
    for (const subject of this.#failures.keys()) {
      const count = this.count(subject);
      if (count > 0) yield [subject, count];
    }
  }

  #recent(subject: string): readonly Failure[] {
    const { clock, failureSecondsMax } = this.#options;
    const since = clock.now() - failureSecondsMax * 1000;
    return this.#failures.get(subject)?.filter(({ at }) => at > since) ?? [];
  }
}
