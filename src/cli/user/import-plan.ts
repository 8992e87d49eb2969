/**
 * What files of another broker say, before anything is done with it: users with their hashes and rules, and every line that
 * cannot be taken over, with its number. Nothing is guessed: a line that is not understood is a fault.
 */
import type { Rule } from "../../admin/index.ts";

export interface PlannedUser {
  readonly name: string;
  passwordHash?: string;
  /** Undefined: the files say nothing of its rights. */
  rules?: Rule[];
}

export interface Fault {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

export class ImportPlan {
  readonly users = new Map<string, PlannedUser>();
  /** What mosquitto's `pattern` lines give to every user. */
  readonly patterns: Rule[] = [];
  /** Of lines before the first user: they are of anonymous clients, which the configuration alone speaks of. */
  readonly anonymous: Rule[] = [];
  readonly faults: Fault[] = [];

  user(name: string): PlannedUser {
    const found = this.users.get(name);
    if (found !== undefined) return found;
    const user: PlannedUser = { name };
    this.users.set(name, user);
    return user;
  }
}
