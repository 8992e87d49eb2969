/**
 * From which addresses users have logged in: there they are at home, and what others do elsewhere in their name, or beside
 * them behind the same address, does not keep them out. Failures at home count for that user at that address alone; as many
 * as would end in a ban make it a stranger there, like everyone. Kept in memory only: after a restart nobody is at home.
 */
import type { Clock } from "../base/index.ts";
import { FailureCounts, type FailureCountsOptions } from "./attempt-guard-failures.ts";

export interface HomesOptions extends FailureCountsOptions {
  readonly homeSecondsMax: number;
  readonly homesMax: number;
}

export class Homes {
  readonly #clock: Clock;
  readonly #options: HomesOptions;
  readonly #failures: FailureCounts;
  /** When the user was last let in there; the one that is longest ago is the first. */
  readonly #lastLogins = new Map<string, number>();

  constructor(options: HomesOptions) {
    this.#clock = options.clock;
    this.#options = options;
    this.#failures = new FailureCounts(options);
  }

  get size(): number {
    return this.#lastLogins.size;
  }

  has(address: string, userName: string): boolean {
    const lastLogin = this.#lastLogins.get(nameHome(address, userName));
    return lastLogin !== undefined && !this.#isPast(lastLogin);
  }

  /** The user was let in. */
  welcome(address: string, userName: string): void {
    const home = nameHome(address, userName);
    this.#failures.forget(home);
    this.#lastLogins.delete(home);
    this.#lastLogins.set(home, this.#clock.now());
    for (const [oldest, lastLogin] of this.#lastLogins) {
      if (this.#lastLogins.size <= this.#options.homesMax && !this.#isPast(lastLogin)) break;
      this.#lastLogins.delete(oldest);
    }
  }

  countFailures(address: string, userName: string): number {
    return this.#failures.count(nameHome(address, userName));
  }

  addFailure(address: string, userName: string): void {
    const home = nameHome(address, userName);
    if (this.#failures.add(home, "") < this.#options.failuresMax) return;
    this.#failures.forget(home);
    this.#lastLogins.delete(home);
  }

  #isPast(lastLogin: number): boolean {
    return this.#clock.now() - lastLogin >= this.#options.homeSecondsMax * 1000;
  }
}

/** No address has a blank in it. */
function nameHome(address: string, userName: string): string {
  return `${address} ${userName}`;
}
