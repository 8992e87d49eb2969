/**
 * What one remote address may have open, and how fast it may CONNECT. An address is an IPv4 address or the /64 of an IPv6
 * address, as one machine has all of that. Addresses without connections are forgotten once their allowance is full
 * again, and sooner when there are many: nobody fills the memory with addresses.
 */
import { addressKey, type Clock, type Limits } from "../base/index.ts";
import { Allowance } from "./allowance.ts";

/** So many seconds' worth may come at once: a site whose devices all come back after a power cut. */
const burstSeconds = 10;
/** Addresses without connections that are remembered at most. */
const idleAddressesMax = 10_000;

export interface AddressAccount {
  readonly key: string;
  connections: number;
  /** From its first CONNECT on. */
  allowance: Allowance | undefined;
}

export class AddressLimits {
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #accounts = new Map<string, AddressAccount>();
  /** Those without connections: two generations stand for their age, as in `RouteCache`. */
  #young = new Set<string>();
  #old = new Set<string>();
  #youngSince = 0;

  constructor(limits: Limits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#accounts.size;
  }

  /** A connection opens; undefined for one that has no such limits. `close` must follow. */
  open(remoteAddress: string): AddressAccount | undefined {
    const key = addressKey(remoteAddress);
    if (key === undefined) return undefined;
    let account = this.#accounts.get(key);
    if (account === undefined) {
      account = { key, connections: 0, allowance: undefined };
      this.#accounts.set(key, account);
    } else if (account.connections === 0 && !this.#young.delete(key)) this.#old.delete(key);
    account.connections++;
    return account;
  }

  close(account: AddressAccount): void {
    account.connections--;
    if (account.connections > 0) return;
    if (account.allowance === undefined) {
      this.#accounts.delete(account.key); // nothing to remember
      return;
    }
    const now = this.#clock.now();
    const isPast = now - this.#youngSince >= burstSeconds * 1000;
    if (isPast || this.#young.size >= idleAddressesMax / 2) {
      for (const key of this.#old) this.#accounts.delete(key);
      this.#old = this.#young;
      this.#young = new Set();
      this.#youngSince = now;
    }
    this.#young.add(account.key);
  }

  /** Whether a CONNECT may go on; otherwise which limit forbids it. */
  check(
    account: AddressAccount,
  ): "connectionsPerAddressMax" | "connectionsPerAddressPerSecondMax" | undefined {
    const { connectionsPerAddressMax, connectionsPerAddressPerSecondMax } = this.#limits;
    if (account.connections > connectionsPerAddressMax) return "connectionsPerAddressMax";
    const now = this.#clock.now();
    account.allowance ??= new Allowance(connectionsPerAddressPerSecondMax, burstSeconds, now);
    const { allowance } = account;
    if (allowance.left < 1 && allowance.waitMilliseconds(now, 1) > 0)
      return "connectionsPerAddressPerSecondMax";
    allowance.left--;
    return undefined;
  }
}
