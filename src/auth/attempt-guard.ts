/**
 * Stands around authenticators and makes guessing of passwords slow: failed logins are counted by address and by user name,
 * whether there is such a user or not; from some number on answers wait, from a higher one on the address or the name is
 * banned for a while and costs nothing more. Only wrong credentials count: no connection that just comes and goes, no
 * anonymous client, no refusal because the broker is busy. Always holds: nobody is kept out of its home by others
 * (attempt-guard-homes.ts), and all that is remembered is bounded.
 *
 * Clients on this machine and on Unix sockets have no address that counts: a proxy may stand there for everyone. Behind such
 * a proxy without the PROXY protocol nobody is at home, and a user can be banned by whoever guesses in its name.
 */
import { hash } from "node:crypto";
import {
  addressKey,
  type Clock,
  type Log,
  ReasonCode,
  silentLog,
  systemClock,
  TstackError,
} from "../base/index.ts";
import type {
  AuthenticationExchange,
  AuthenticationRequest,
  AuthenticationResult,
  AuthenticationStep,
  Authenticator,
  EnhancedAuthenticator,
} from "../broker/ports.ts";
import { type Ban, BanList, nameSubject } from "./attempt-guard-bans.ts";
import { FailureCounts } from "./attempt-guard-failures.ts";
import { Homes } from "./attempt-guard-homes.ts";
import {
  type AttemptGuardSettings,
  defaultAttemptGuardSettings,
} from "./attempt-guard-settings.ts";

export interface AttemptGuardOptions {
  readonly clock?: Clock;
  readonly log?: Log;
  readonly settings?: Partial<AttemptGuardSettings>;
}

/** Who tries, as it is counted. */
interface Attempt {
  readonly address: string | undefined;
  readonly userName: string | undefined;
}

/** Longer names are counted by a digest: nobody fills the memory with names. */
const nameCharactersMax = 128;
const refusedReportSeconds = 60;

/**
 * @example
 * const guard = new AttemptGuard({ log });
 * createBroker({
 *   authenticator: guard.guard(chain),
 *   enhancedAuthenticators: [guard.guardExchanges(new ScramAuthenticator(users))],
 * });
 */
export class AttemptGuard {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #settings: AttemptGuardSettings;
  readonly #bans: BanList;
  readonly #homes: Homes;
  readonly #failures: { readonly address: FailureCounts; readonly user: FailureCounts };
  #delayedAnswers = 0;
  /** Since the last line of the log about them. */
  #refused = 0;

  constructor({ clock = systemClock, log = silentLog, settings }: AttemptGuardOptions = {}) {
    this.#clock = clock;
    this.#log = log;
    this.#settings = { ...defaultAttemptGuardSettings, ...settings };
    const counts = { clock, ...this.#settings, failuresMax: this.#settings.failuresBeforeBanMax };
    this.#bans = new BanList({ clock, log, ...this.#settings });
    this.#homes = new Homes(counts);
    this.#failures = { address: new FailureCounts(counts), user: new FailureCounts(counts) };
  }

  guard(authenticator: Authenticator): Authenticator {
    return { authenticate: (request) => this.#authenticate(authenticator, request) };
  }

  guardExchanges(authenticator: EnhancedAuthenticator): EnhancedAuthenticator {
    return {
      method: authenticator.method,
      begin: (request) => {
        const exchange = authenticator.begin(request);
        return { next: (data) => this.#next(exchange, request, data) };
      },
    };
  }

  /** Who is banned, and who is watched because its answers are delayed. */
  listBans(): Ban[] {
    const list = this.#bans.list();
    for (const kind of ["address", "user"] as const) {
      for (const [subject, failures] of this.#failures[kind].entries())
        if (failures >= this.#settings.failuresBeforeDelayMax)
          list.push({ subject, kind, failures });
    }
    return list;
  }

  /**
   * An address, any of the /64 where it is an IPv6 one, or a user name. Its failures are forgotten too.
   * @throws TstackError BAN_UNKNOWN
   */
  liftBan(subject: string): void {
    const address = (subject.includes(":") ? addressKey(`[${subject}]:0`) : undefined) ?? subject;
    const outcomes = [
      this.#bans.lift("address", subject),
      this.#bans.lift("address", address),
      this.#bans.lift("user", nameUser(subject)),
      this.#failures.address.forget(subject),
      this.#failures.address.forget(address),
      this.#failures.user.forget(nameUser(subject)),
    ];
    if (outcomes.includes(true)) return;
    throw new TstackError("BAN_UNKNOWN", `neither an address nor a user "${subject}" is banned`);
  }

  async #authenticate(
    authenticator: Authenticator,
    request: AuthenticationRequest,
  ): Promise<AuthenticationResult> {
    const hasPassword = request.password !== undefined && request.password.length > 0;
    // Who shows a certificate and no password guesses nothing, whoever else is at its address.
    if (!hasPassword && request.clientCertificate !== undefined)
      return authenticator.authenticate(request);
    const attempt = toAttempt(request, request.userName);
    const atOnce = this.#findBan(attempt);
    if (atOnce !== undefined) return { allowed: false, ...this.#refuse(atOnce) };
    // Guesses that came all at once are not verified one by one after the ban.
    const isAwaited = (): boolean =>
      request.isAwaited?.() !== false && this.#findBan(attempt) === undefined;
    const result = await authenticator.authenticate({ ...request, isAwaited });
    if (!hasPassword) return result;
    const meanwhile = this.#findBan(attempt);
    if (meanwhile !== undefined) return { allowed: false, ...this.#refuse(meanwhile) };
    await this.#conclude(attempt, result.allowed ? result.userName : result.reasonCode);
    return result;
  }

  async #next(
    exchange: AuthenticationExchange,
    request: AuthenticationRequest,
    data: Uint8Array | undefined,
  ): Promise<AuthenticationStep> {
    const atOnce = this.#findBan(toAttempt(request, nameOf(exchange) ?? request.userName));
    if (atOnce !== undefined) return { outcome: "failure", ...this.#refuse(atOnce) };
    const step = await exchange.next(data);
    // Now it may have said who it is.
    const attempt = toAttempt(request, nameOf(exchange) ?? request.userName);
    const meanwhile = this.#findBan(attempt);
    if (meanwhile !== undefined) return { outcome: "failure", ...this.#refuse(meanwhile) };
    if (step.outcome === "success") await this.#conclude(attempt, step.userName);
    else if (step.outcome === "failure") await this.#conclude(attempt, step.reasonCode);
    return step;
  }

  /** Undefined for who is at home. */
  #findBan(attempt: Attempt): Ban | undefined {
    const { address, userName } = attempt;
    if (this.#isAtHome(attempt)) return undefined;
    const ban = address === undefined ? undefined : this.#bans.find("address", address);
    return ban ?? (userName === undefined ? undefined : this.#bans.find("user", userName));
  }

  #refuse(ban: Ban): { readonly reasonCode: ReasonCode; readonly rule: string } {
    if (this.#refused++ === 0)
      this.#clock.after(refusedReportSeconds * 1000, () => this.#reportRefused());
    const until = new Date(ban.bannedUntil ?? 0).toISOString();
    return { reasonCode: ReasonCode.banned, rule: `${nameSubject(ban)} is banned until ${until}` };
  }

  #reportRefused(): void {
    const refusedAttempts = this.#refused;
    this.#refused = 0;
    this.#log.warn({ refusedAttempts }, "banned addresses and users tried to log in meanwhile");
  }

  /** Counts how an attempt ended, with a user's name or a reason code, and waits as long as its answer is delayed. */
  async #conclude(attempt: Attempt, outcome: string | ReasonCode | undefined): Promise<void> {
    // Right and wrong wait alike: who counts the time learns nothing sooner.
    const delay = this.#findDelay(attempt);
    if (outcome === ReasonCode.badUserNameOrPassword) this.#addFailure(attempt);
    else if (typeof outcome === "string") this.#welcome(attempt, outcome);
    else return;
    if (delay === 0 || this.#delayedAnswers >= this.#settings.delayedAnswersMax) return;
    this.#delayedAnswers++;
    await new Promise<void>((resolve) => this.#clock.after(delay, resolve));
    this.#delayedAnswers--;
  }

  #findDelay(attempt: Attempt): number {
    const { failuresBeforeDelayMax, delayMillisecondsMin, delayMillisecondsMax } = this.#settings;
    const doublings = this.#countFailures(attempt) - failuresBeforeDelayMax;
    if (doublings < 0) return 0;
    return Math.min(delayMillisecondsMax, delayMillisecondsMin * 2 ** doublings);
  }

  #countFailures(attempt: Attempt): number {
    const { address, userName } = attempt;
    if (this.#isAtHome(attempt))
      return this.#homes.countFailures(attempt.address, attempt.userName);
    const ofAddress = address === undefined ? 0 : this.#failures.address.count(address);
    const ofUser = userName === undefined ? 0 : this.#failures.user.count(userName);
    return Math.max(ofAddress, ofUser);
  }

  #addFailure(attempt: Attempt): void {
    if (this.#isAtHome(attempt)) {
      this.#homes.addFailure(attempt.address, attempt.userName);
      return;
    }
    const { address, userName } = attempt;
    for (const [kind, subject, by = ""] of [
      ["address", address, userName],
      ["user", userName, address],
    ] as const) {
      if (subject === undefined) continue;
      const failures = this.#failures[kind].add(subject, by);
      if (failures < this.#settings.failuresBeforeBanMax) continue;
      this.#failures[kind].forget(subject);
      this.#bans.begin(kind, subject, failures);
    }
  }

  #welcome({ address, userName }: Attempt, authenticatedName: string): void {
    const name = userName ?? nameUser(authenticatedName);
    this.#failures.user.forgive(name, address ?? "");
    if (address === undefined) return;
    this.#failures.address.forgive(address, name);
    this.#homes.welcome(address, name);
  }

  #isAtHome(attempt: Attempt): attempt is { address: string; userName: string } {
    const { address, userName } = attempt;
    return address !== undefined && userName !== undefined && this.#homes.has(address, userName);
  }
}

function toAttempt(
  { remoteAddress }: AuthenticationRequest,
  userName: string | undefined,
): Attempt {
  return {
    address: addressKey(remoteAddress),
    userName: userName === undefined ? undefined : nameUser(userName),
  };
}

function nameUser(userName: string): string {
  return userName.length > nameCharactersMax ? `sha256:${hash("sha256", userName)}` : userName;
}

/** An exchange may know who the client says it is: `ScramExchange` does. */
function nameOf(exchange: AuthenticationExchange): string | undefined {
  return "userName" in exchange && typeof exchange.userName === "string"
    ? exchange.userName
    : undefined;
}
