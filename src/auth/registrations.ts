/**
 * Devices that make themselves users with a key: the key's use and the new user are one write, both or neither, and one
 * registration follows the other, so that no two get one name or one last use. Whoever may not register is told one thing,
 * whatever the reason. Implements `Registrations` of admin/.
 */
import { randomBytes } from "node:crypto";
import { type Clock, type Log, silentLog, systemClock, TstackError } from "../base/index.ts";
import type { RecordChange, RecordStore, StoredRecord } from "../broker/ports.ts";
import { makeDeviceName } from "./device-name.ts";
import {
  findKey,
  hashKey,
  isOver,
  type KeptKey,
  readKey,
  registrationKeyKind,
  writeKey,
} from "./registration-key.ts";
import type { Rule } from "./rule.ts";

/** All of them are compared with at each registration. */
const keysMax = 1000;
const keyNameLengthMax = 100;
const usesMaxMost = 1_000_000_000;
const keyBytes = 32;
/** 160 bits. */
const passwordBytes = 20;
/** Names tried before it is said that there is none: with one in a hundred free, one device in 10^43 hears that. */
const namesTriedMax = 10_000;
/** Registrations that wait for their turn. Each costs the hash of a password. */
const waitingMax = 100;

export interface DeviceUser {
  readonly name: string;
  readonly password: string;
  readonly roles?: readonly string[];
  readonly rules?: readonly Rule[];
  readonly note: string;
}

/** What registrations ask of the users; `UserAdministration` has it. */
interface DeviceUsers {
  hasUser(name: string): boolean;
  hasRole(name: string): boolean;
  /** Adds a user and writes `changes` with it, both or neither. USER_EXISTS, ROLE_UNKNOWN */
  addUserWith(user: DeviceUser, changes: readonly RecordChange[]): Promise<unknown>;
}

export interface RegistrationsOptions {
  readonly users: DeviceUsers;
  readonly records: RecordStore;
  /** What `records` held at the start; other kinds are passed over. */
  readonly stored: readonly StoredRecord[];
  readonly clock?: Pick<Clock, "now">;
  /** Is told of keys that cannot be read: nobody registers with them. Default: silence. */
  readonly log?: Log;
  readonly makeName?: () => string;
}

interface NewKey {
  readonly name: string;
  readonly expiresAt?: number;
  readonly usesMax?: number;
  readonly role?: string;
}

type ShownKey = Omit<KeptKey, "hash">;

export class Registrations {
  readonly #users: DeviceUsers;
  readonly #records: RecordStore;
  readonly #clock: Pick<Clock, "now">;
  readonly #makeName: () => string;
  readonly #keys = new Map<string, KeptKey>();
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(options: RegistrationsOptions) {
    this.#users = options.users;
    this.#records = options.records;
    this.#clock = options.clock ?? systemClock;
    this.#makeName = options.makeName ?? makeDeviceName;
    for (const record of options.stored) {
      if (record.kind === registrationKeyKind) this.#read(record, options.log ?? silentLog);
    }
  }

  #read(record: StoredRecord, log: Log): void {
    try {
      this.#keys.set(record.name, readKey(record));
    } catch (error) {
      const message = "a key for registration in the store is broken: add a new one";
      log.error({ key: record.name, error }, message);
    }
  }

  listKeys(): ShownKey[] {
    return [...this.#keys.values()].map(show).sort((one, other) => one.createdAt - other.createdAt);
  }

  /** The key stands in the answer and nowhere else. @throws TstackError REGISTRATION_KEY_EXISTS, ROLE_UNKNOWN, USER_INVALID */
  addKey(newKey: NewKey): Promise<ShownKey & { readonly key: string }> {
    return this.#inTurn(async () => {
      this.#check(newKey);
      const { name, expiresAt, usesMax, role } = newKey;
      const key = randomBytes(keyBytes).toString("base64url");
      const kept: KeptKey = {
        name,
        hash: hashKey(key),
        createdAt: this.#clock.now(),
        expiresAt,
        usesLeft: usesMax,
        uses: 0,
        isRevoked: false,
        role,
      };
      const removed = this.#makeRoom();
      await this.#records.writeRecords([...removed, writeKey(kept)]);
      for (const change of removed) this.#keys.delete(change.name);
      this.#keys.set(name, kept);
      return { ...show(kept), key };
    });
  }

  /** Who has registered with it stays. @throws TstackError REGISTRATION_KEY_UNKNOWN */
  revokeKey(name: string): Promise<ShownKey> {
    return this.#inTurn(async () => {
      const kept = this.#keys.get(name);
      if (kept === undefined) {
        const message = `there is no key for registration ${JSON.stringify(name)}`;
        throw new TstackError("REGISTRATION_KEY_UNKNOWN", message);
      }
      const revoked = { ...kept, isRevoked: true };
      await this.#records.writeRecords([writeKey(revoked)]);
      this.#keys.set(name, revoked);
      return show(revoked);
    });
  }

  /** @throws TstackError REGISTRATION_KEY_REFUSED, REGISTRATION_UNAVAILABLE */
  async register(key: string): Promise<{ name: string; password: string; keyName: string }> {
    this.#findUsable(key); // who only guesses waits for nobody, and keeps nobody waiting
    return this.#inTurn(async () => {
      const kept = this.#findUsable(key); // its last use may have gone meanwhile
      const used: KeptKey = {
        ...kept,
        uses: kept.uses + 1,
        usesLeft: kept.usesLeft === undefined ? undefined : kept.usesLeft - 1,
      };
      const password = randomBytes(passwordBytes).toString("base64url");
      const name = await this.#addDevice(used, password);
      this.#keys.set(used.name, used);
      return { name, password, keyName: used.name };
    });
  }

  #findUsable(key: string): KeptKey {
    const kept = findKey(this.#keys.values(), key);
    if (kept === undefined || isOver(kept, this.#clock.now())) {
      const message = "the key for registration is unknown, expired, used up or revoked";
      throw new TstackError("REGISTRATION_KEY_REFUSED", message);
    }
    return kept;
  }

  /** Answers with the name of the new user. */
  async #addDevice(key: KeptKey, password: string): Promise<string> {
    const { role } = key;
    const rights =
      role === undefined
        ? { rules: [{ allow: "both", filter: "%u/#" }] as const }
        : { roles: [role] };
    for (let tried = 0; tried < namesTriedMax; tried++) {
      const name = this.#makeName();
      if (this.#users.hasUser(name)) continue;
      const note = `registered with the key ${JSON.stringify(key.name)}`;
      try {
        await this.#users.addUserWith({ name, password, ...rights, note }, [writeKey(key)]);
        return name;
      } catch (error) {
        // Somebody else has added a user of that name meanwhile.
        if (!(error instanceof TstackError && error.code === "USER_EXISTS")) throw error;
      }
    }
    const message =
      "nearly all names for devices are taken: remove users that are gone (tuser remove)";
    throw new TstackError("REGISTRATION_UNAVAILABLE", message);
  }

  #check({ name, expiresAt, usesMax, role }: NewKey): void {
    const refuse = (message: string) => {
      throw new TstackError("USER_INVALID", message);
    };
    if (name === "" || name.length > keyNameLengthMax || /\p{Cc}|^\.\.?$/u.test(name)) {
      refuse(
        `the name of a key has 1 to ${keyNameLengthMax} characters, none of them control, and is not . or ..`,
      );
    }
    if (this.#keys.has(name)) {
      const message = `there is a key for registration ${JSON.stringify(name)} already`;
      throw new TstackError("REGISTRATION_KEY_EXISTS", message);
    }
    if (expiresAt !== undefined && !(expiresAt > this.#clock.now())) {
      refuse("the key would have expired already");
    }
    if (
      usesMax !== undefined &&
      !(Number.isInteger(usesMax) && usesMax >= 1 && usesMax <= usesMaxMost)
    ) {
      refuse(`a key is for 1 to ${usesMaxMost} registrations`);
    }
    if (role !== undefined && !this.#users.hasRole(role)) {
      throw new TstackError("ROLE_UNKNOWN", `there is no role ${JSON.stringify(role)}`);
    }
  }

  /** When there are as many keys as there may be, the oldest of those that are over goes. */
  #makeRoom(): RecordChange[] {
    if (this.#keys.size < keysMax) return [];
    const now = this.#clock.now();
    const oldest = this.listKeys().find(({ name }) => {
      const kept = this.#keys.get(name);
      return kept !== undefined && isOver(kept, now);
    });
    if (oldest === undefined) {
      const message = `there are ${keysMax} keys for registration, the most there may be: revoke one`;
      throw new TstackError("USER_INVALID", message);
    }
    return [{ kind: registrationKeyKind, name: oldest.name, value: undefined }];
  }

  async #inTurn<Result>(change: () => Promise<Result>): Promise<Result> {
    if (this.#waiting >= waitingMax) {
      const message = "too many register at one time: try again in a minute";
      throw new TstackError("REGISTRATION_UNAVAILABLE", message);
    }
    this.#waiting++;
    const turn = this.#last.then(change).finally(() => {
      this.#waiting--;
    });
    // Whether it went well is for its own caller; the next one begins either way.
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

function show({ hash: _, ...shown }: KeptKey): ShownKey {
  return shown;
}
