/** Addresses and users that are banned now. Each ban ends by itself; beyond `bansMax` the oldest ends early. The log tells. */
import type { Clock, Log } from "../base/index.ts";

export type SubjectKind = "address" | "user";

export interface Ban {
  /** `192.0.2.7`, `2001:db8:0:1`, or a user name. */
  readonly subject: string;
  readonly kind: SubjectKind;
  readonly failures: number;
  /** Milliseconds since 1970. Undefined: watched and delayed, not banned. */
  readonly bannedUntil?: number;
}

export interface BanListOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly banSeconds: number;
  readonly bansMax: number;
}

interface RunningBan {
  readonly ban: Ban;
  readonly callOff: () => void;
}

export class BanList {
  readonly #options: BanListOptions;
  /** The one that ends first is the first. */
  readonly #bans = new Map<string, RunningBan>();

  constructor(options: BanListOptions) {
    this.#options = options;
  }

  find(kind: SubjectKind, subject: string): Ban | undefined {
    return this.#bans.get(nameBan(kind, subject))?.ban;
  }

  list(): Ban[] {
    return [...this.#bans.values()].map(({ ban }) => ban);
  }

  begin(kind: SubjectKind, subject: string, failures: number): void {
    const { clock, log, banSeconds, bansMax } = this.#options;
    if (this.find(kind, subject) !== undefined) return;
    const ban = { subject, kind, failures, bannedUntil: clock.now() + banSeconds * 1000 };
    const callOff = clock.after(banSeconds * 1000, () => this.#end(ban, "its time is over"));
    this.#bans.set(nameBan(kind, subject), { ban, callOff });
    const facts = { kind, subject, failures, banSeconds };
    log.warn(facts, `${nameSubject(ban)} is banned: too many failed logins`);
    const [oldest] = this.#bans.values();
    if (this.#bans.size > bansMax) this.#end(oldest.ban, "there are too many newer ones");
  }

  /** Whether there was one. */
  lift(kind: SubjectKind, subject: string): boolean {
    const ban = this.find(kind, subject);
    if (ban !== undefined) this.#end(ban, "it was lifted by command");
    return ban !== undefined;
  }

  #end(ban: Ban, why: string): void {
    const { kind, subject } = ban;
    const name = nameBan(kind, subject);
    this.#bans.get(name)?.callOff();
    this.#bans.delete(name);
    this.#options.log.info({ kind, subject }, `${nameSubject(ban)} is no longer banned: ${why}`);
  }
}

function nameBan(kind: SubjectKind, subject: string): string {
  return `${kind} ${subject}`;
}

/** `the address 192.0.2.7`, `the user "ada"`. */
export function nameSubject({ kind, subject }: Pick<Ban, "kind" | "subject">): string {
  return kind === "address" ? `the address ${subject}` : `the user ${JSON.stringify(subject)}`;
}
