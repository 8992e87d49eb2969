/**
 * What the passwords of all users cost to verify, so that a name that is no user's costs what a user's would. Users who moved
 * in have hashes of other kinds than new ones: if an unknown name always cost one argon2id, whoever costs a bcrypt would be
 * known to exist. So each name that has no hash is given one of the costs by a keyed hash of the name: always the same one,
 * and each cost as often as users have it, so that the time of an answer makes no name more likely to be a user's. The
 * costs lie in one order, and as users move from an old one to the new one, so do names that are nobody's.
 */
import { createHmac, randomBytes } from "node:crypto";
import { describeCost, makeNewCost, makeSameCost, type PasswordHash } from "./password-hash.ts";

interface Cost {
  readonly words: string;
  /** No password has it. */
  readonly example: PasswordHash;
  users: number;
}

export class PasswordCosts {
  readonly #key = randomBytes(32);
  readonly #newCost = makeNewCost();
  /** By their words, which leaves every name where it is while costs come and go that are not its own. */
  readonly #costs: Cost[] = [];
  readonly #costOf = new Map<string, Cost>();

  /** The user's hash is this one from now on; undefined: it has none, or is gone. */
  set(userName: string, hash: PasswordHash | undefined): void {
    const before = this.#costOf.get(userName);
    const cost = hash === undefined ? undefined : this.#find(hash);
    if (cost !== undefined) {
      cost.users++;
      this.#costOf.set(userName, cost);
    } else this.#costOf.delete(userName);
    if (before === undefined) return;
    before.users--;
    if (before.users === 0) this.#costs.splice(this.#costs.indexOf(before), 1);
  }

  #find(hash: PasswordHash): Cost {
    const words = describeCost(hash);
    const place = this.#costs.findIndex((cost) => cost.words >= words);
    if (this.#costs[place]?.words === words) return this.#costs[place];
    const cost = { words, example: makeSameCost(hash), users: 0 };
    this.#costs.splice(place === -1 ? this.#costs.length : place, 0, cost);
    return cost;
  }

  /** A hash for a name that has none, which no password has. */
  choose(userName: string): PasswordHash {
    const digest = createHmac("sha256", this.#key).update(userName).digest();
    let place = (digest.readUIntBE(0, 6) / 2 ** 48) * this.#costOf.size;
    for (const { example, users } of this.#costs) {
      place -= users;
      if (place < 0) return example;
    }
    return this.#newCost;
  }
}
