/**
 * What goes over the broker's HTTP API, as JSON. Types only: pages and programs import this file and nothing else of it.
 * Times are milliseconds since 1970.
 */

export type Action = "publish" | "subscribe";
export type QoS = 0 | 1 | 2;

/** Exactly one of `allow` and `deny`. */
export interface Rule {
  readonly allow?: Action | "both";
  readonly deny?: Action | "both";
  /** `%c` is the client identifier in it, `%u` the user name. */
  readonly filter: string;
  /** The rule applies to these only. */
  readonly qos?: readonly QoS[];
  /** The rule applies to messages with, or without, RETAIN only. */
  readonly retain?: boolean;
}

export interface User {
  readonly name: string;
  readonly isEnabled: boolean;
  /** Whether it can log in with a password, and with SCRAM-SHA-256. */
  readonly hasPassword: boolean;
  readonly hasScram: boolean;
  /** Asked after the user's own rules, in this order. */
  readonly roles: readonly string[];
  readonly rules: readonly Rule[];
  /** `store` may be changed through the API, `configuration` only in the file. */
  readonly origin: "store" | "configuration";
  readonly createdAt?: number;
  /** `registered with the key "workshop"`. */
  readonly note?: string;
}

export interface Client {
  readonly clientIdentifier: string;
  readonly userName?: string;
  readonly isConnected: boolean;
  readonly remoteAddress?: string;
}

/** `GET /v1/users/:name`. */
export interface UserDetails extends User {
  /** Its sessions. */
  readonly clients: readonly Client[];
}

export interface NewUser {
  readonly name: string;
  /** One of these, or neither: such a user comes in with a certificate. */
  readonly password?: string;
  readonly passwordHash?: string;
  /** Keeps what SCRAM-SHA-256 needs as well; only with `password`. */
  readonly scram?: boolean;
  readonly roles?: readonly string[];
  readonly rules?: readonly Rule[];
  readonly isEnabled?: boolean;
  readonly note?: string;
}

export interface NewPassword {
  readonly password?: string;
  readonly passwordHash?: string;
  readonly scram?: boolean;
}

export interface Enabling {
  readonly isEnabled: boolean;
}

export interface Role {
  readonly name: string;
  readonly rules: readonly Rule[];
  /** How many users have it. */
  readonly users: number;
}

export interface NewRole {
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** Rules and roles that a user or role is to have in addition. */
export interface Granting {
  readonly rules?: readonly Rule[];
  readonly roles?: readonly string[];
  /** Where the rules go in the list: 0 is the first. Without it they go to the end. */
  readonly at?: number;
}

/** Takes away all rules with one of these filters, those at these places (0 is the first), and these roles. */
export interface Revoking {
  readonly filters?: readonly string[];
  readonly places?: readonly number[];
  readonly roles?: readonly string[];
}

export interface ImportOutcome {
  readonly added: readonly string[];
  /** Those that were there already, and are now as given: only when asked for. */
  readonly replaced: readonly string[];
}

/** What `GET /v1/identities` gives and `POST /v1/identities` takes: with hashes, so that a broker can be moved. */
export interface ExportedIdentities {
  readonly users: readonly (NewUser & {
    readonly createdAt?: number;
    readonly scramKeys?: unknown;
  })[];
  readonly roles: readonly NewRole[];
}

export interface ExplainQuestion {
  /** Undefined asks for anonymous clients. */
  readonly user?: string;
  readonly action: Action;
  readonly topic: string;
  /** Default: the user's name. */
  readonly clientIdentifier?: string;
  /** Default 0. */
  readonly qos?: QoS;
  readonly retain?: boolean;
}

export interface Explanation {
  readonly allowed: boolean;
  /** The rule that decides, from which user, role or file; in words. */
  readonly rule: string;
  /** What keeps the user out altogether: disabled. */
  readonly warning?: string;
}

export interface WhoCanQuestion {
  readonly action: Action;
  readonly topic: string;
  /** Default 0. */
  readonly qos?: QoS;
  readonly retain?: boolean;
}

export interface WhoCan {
  /** Undefined: anonymous clients. */
  readonly user?: string;
  readonly rule: string;
  /** Why not at present: disabled; or which client identifier it needs. */
  readonly condition?: string;
}

export interface Ban {
  /** `192.0.2.7`, `2001:db8:0:1`, or a user name. */
  readonly subject: string;
  readonly kind: "address" | "user";
  readonly failures: number;
  /** Undefined: watched and delayed, not banned. */
  readonly bannedUntil?: number;
}

export interface RegistrationKey {
  readonly name: string;
  readonly createdAt: number;
  readonly expiresAt?: number;
  /** Undefined: any number. */
  readonly usesLeft?: number;
  readonly uses: number;
  readonly isRevoked: boolean;
  /** The role that devices get; without it each gets the rule `Name/#`. */
  readonly role?: string;
}

export interface NewRegistrationKey {
  readonly name: string;
  readonly expiresAt?: number;
  readonly usesMax?: number;
  readonly role?: string;
}

/** The key itself is told once and kept nowhere. */
export interface MadeRegistrationKey extends RegistrationKey {
  readonly key: string;
}

export interface Registration {
  readonly key: string;
}

export interface Registered {
  readonly name: string;
  readonly password: string;
  /** The name of the key it registered with. */
  readonly keyName: string;
}

/** Every answer that is not 2xx. */
export interface Problem {
  /** One of docs/errors.md, or `REQUEST_INVALID`. */
  readonly code: string;
  readonly message: string;
}
