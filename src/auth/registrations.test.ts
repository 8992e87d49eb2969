import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { silentLog, TstackError } from "../base/index.ts";
import { makeDeviceName } from "./device-name.ts";
import { type DeviceUser, Registrations, type RegistrationsOptions } from "./registrations.ts";

type RecordStore = RegistrationsOptions["records"];
type RecordChange = Parameters<RecordStore["writeRecords"]>[0][number];
type StoredRecord = RegistrationsOptions["stored"][number];

/** Records and users in memory, written together; fails on command. */
class World implements RecordStore {
  readonly records = new Map<string, StoredRecord>();
  readonly users = new Map<string, DeviceUser>();
  readonly roles = new Set(["sensor"]);
  readonly faults: object[] = [];
  now = 1000;
  failure: TstackError | undefined;

  async readRecords() {
    return [...this.records.values()];
  }

  async writeRecords(changes: readonly RecordChange[]) {
    await new Promise(setImmediate);
    if (this.failure !== undefined) throw this.failure;
    for (const { kind, name, value } of changes) {
      if (value === undefined) this.records.delete(`${kind} ${name}`);
      else this.records.set(`${kind} ${name}`, { kind, name, value });
    }
  }

  hasUser = (name: string) => this.users.has(name);
  hasRole = (name: string) => this.roles.has(name);

  addUserWith = async (user: DeviceUser, changes: readonly RecordChange[]) => {
    if (this.users.has(user.name)) throw new TstackError("USER_EXISTS", "taken");
    await this.writeRecords(changes);
    this.users.set(user.name, user);
  };

  open(makeName?: () => string): Registrations {
    return new Registrations({
      users: this,
      records: this,
      stored: [...this.records.values()],
      clock: { now: () => this.now },
      log: { ...silentLog, error: (fields) => this.faults.push(fields) },
      makeName,
    });
  }
}

const refused = (error: unknown) =>
  error instanceof TstackError &&
  error.code === "REGISTRATION_KEY_REFUSED" &&
  error.message === "the key for registration is unknown, expired, used up or revoked";
const withCode = (code: string) => (error: unknown) =>
  error instanceof TstackError && error.code === code;

test("registrations: a key makes users with names, passwords and topics of their own", async () => {
  const world = new World();
  const registrations = world.open();
  const { key, ...made } = await registrations.addKey({ name: "workshop" });
  assert.match(key, /^[\w-]{43}$/);
  const one = await registrations.register(key);
  const two = await registrations.register(key);
  assert.match(one.name, /^[A-HJ-NP-Z]{3}-[2-9]{3}$/);
  assert.match(one.password, /^[\w-]{27}$/);
  assert.notEqual(one.password, two.password);
  assert.deepEqual(world.users.get(one.name), {
    name: one.name,
    password: one.password,
    rules: [{ allow: "both", filter: "%u/#" }],
    note: 'registered with the key "workshop"',
  });
  assert.equal(world.users.size, 2);
  assert.deepEqual(registrations.listKeys(), [{ ...made, uses: 2 }]);
});

test("registrations: a key with a role gives that instead of topics", async () => {
  const world = new World();
  const registrations = world.open();
  const { key } = await registrations.addKey({ name: "k", role: "sensor" });
  const { name } = await registrations.register(key);
  assert.deepEqual(world.users.get(name)?.roles, ["sensor"]);
  assert.equal(world.users.get(name)?.rules, undefined);
  const unknown = registrations.addKey({ name: "other", role: "robot" });
  await assert.rejects(unknown, withCode("ROLE_UNKNOWN"));
});

test("registrations: revoked, expired, used up and unknown are one refusal", async () => {
  const world = new World();
  const registrations = world.open();
  const revoked = await registrations.addKey({ name: "revoked" });
  await registrations.revokeKey("revoked");
  const expired = await registrations.addKey({ name: "expired", expiresAt: 2000 });
  const usedUp = await registrations.addKey({ name: "used up", usesMax: 1 });
  await registrations.register(expired.key);
  world.now = 2000;
  await registrations.register(usedUp.key);
  for (const key of [revoked.key, expired.key, usedUp.key, "guess", "", `${usedUp.key}\n`]) {
    await assert.rejects(registrations.register(key), refused, key);
  }
  assert.equal(world.users.size, 2);
});

test("registrations: of many at once as many get in as the key has uses, each with its own name", async () => {
  const world = new World();
  const names = ["AAA-222", "AAA-222", "AAA-222", "BBB-333", "AAA-222", "CCC-444", "DDD-555"];
  const registrations = world.open(() => names.shift() ?? "EEE-666");
  const { key } = await registrations.addKey({ name: "k", usesMax: 3 });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 8 }, () => registrations.register(key)),
  );
  const fulfilled = outcomes.filter(({ status }) => status === "fulfilled");
  assert.equal(fulfilled.length, 3);
  assert.deepEqual([...world.users.keys()], ["AAA-222", "BBB-333", "CCC-444"]);
  assert.equal(registrations.listKeys()[0].usesLeft, 0);
});

test("registrations: a name that somebody takes in between is given to nobody twice", async () => {
  const world = new World();
  const names = ["AAA-222", "BBB-333"];
  const registrations = world.open(() => names.shift() ?? "CCC-444");
  const { key } = await registrations.addKey({ name: "k" });
  world.users.set("AAA-222", { name: "AAA-222", password: "x", note: "" });
  world.hasUser = () => false;
  assert.equal((await registrations.register(key)).name, "BBB-333");
});

test("registrations: without a free name it says so after a bounded number of tries", async () => {
  const world = new World();
  const registrations = world.open(() => "AAA-222");
  const { key } = await registrations.addKey({ name: "k", usesMax: 2 });
  await registrations.register(key);
  await assert.rejects(registrations.register(key), withCode("REGISTRATION_UNAVAILABLE"));
  assert.equal(registrations.listKeys()[0].usesLeft, 1, "the use is not lost");
});

test("registrations: what cannot be written has not happened, and the next one is as before", async () => {
  const world = new World();
  const registrations = world.open();
  const { key } = await registrations.addKey({ name: "k", usesMax: 1 });
  world.failure = new TstackError("STORAGE_FULL", "no space");
  await assert.rejects(registrations.register(key), withCode("STORAGE_FULL"));
  await assert.rejects(registrations.revokeKey("k"), withCode("STORAGE_FULL"));
  await assert.rejects(registrations.addKey({ name: "l" }), withCode("STORAGE_FULL"));
  world.failure = undefined;
  assert.equal(world.users.size, 0);
  assert.deepEqual(
    registrations.listKeys().map(({ name, isRevoked, usesLeft }) => [name, isRevoked, usesLeft]),
    [["k", false, 1]],
  );
  await registrations.register(key);
});

test("registrations: keys outlive the process, and the store holds their hash alone", async () => {
  const world = new World();
  const { key } = await world.open().addKey({ name: "k", usesMax: 2, expiresAt: 5000 });
  await world.open().register(key);
  const [{ value }] = world.records.values();
  assert.ok(!value.includes(key));
  assert.ok(value.includes(createHash("sha256").update(key).digest("hex")));
  const again = world.open();
  const { usesLeft, uses, expiresAt } = again.listKeys()[0];
  assert.deepEqual([usesLeft, uses, expiresAt], [1, 1, 5000]);
  await again.register(key);
  await assert.rejects(world.open().register(key), refused);
});

test("registrations: a record that makes no sense is logged, and lets nobody in", () => {
  const world = new World();
  world.records.set("x", { kind: "registration-key", name: "workshop", value: '{"hash":1}' });
  assert.deepEqual(world.open().listKeys(), []);
  assert.equal(world.faults.length, 1);
});

test("registrations: keys that make no sense, and names taken or unknown", async () => {
  const world = new World();
  const registrations = world.open();
  await registrations.addKey({ name: "k" });
  for (const wrong of [
    { name: "" },
    { name: "a\nb" },
    { name: ".." },
    { name: "x".repeat(101) },
    { name: "past", expiresAt: 1000 },
    { name: "NaN", expiresAt: Number.NaN },
    { name: "none", usesMax: 0 },
    { name: "half", usesMax: 1.5 },
  ]) {
    await assert.rejects(registrations.addKey(wrong), withCode("USER_INVALID"), wrong.name);
  }
  await assert.rejects(registrations.addKey({ name: "k" }), withCode("REGISTRATION_KEY_EXISTS"));
  await assert.rejects(registrations.revokeKey("l"), withCode("REGISTRATION_KEY_UNKNOWN"));
});

test("registrations: the keys are bounded; those that are over make room, the oldest first", async () => {
  const world = new World();
  const registrations = world.open();
  for (let number = 0; number < 1000; number++) {
    world.now = 1000 + number;
    await registrations.addKey({ name: `k${number}` });
  }
  await assert.rejects(registrations.addKey({ name: "more" }), withCode("USER_INVALID"));
  await registrations.revokeKey("k7");
  await registrations.revokeKey("k5");
  await registrations.addKey({ name: "more" });
  const names = registrations.listKeys().map(({ name }) => name);
  assert.equal(names.length, 1000);
  assert.ok(!names.includes("k5") && names.includes("k7") && names.includes("more"));
  assert.equal(world.records.size, 1000);
});

test("registrations: those that wait are bounded", async () => {
  const world = new World();
  const registrations = world.open();
  const { key } = await registrations.addKey({ name: "k" });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 130 }, () => registrations.register(key)),
  );
  const failed = outcomes.filter((outcome) => outcome.status === "rejected");
  assert.equal(failed.length, 30);
  assert.ok(failed.every(({ reason }) => withCode("REGISTRATION_UNAVAILABLE")(reason)));
  assert.equal(world.users.size, 100);
});

test("device names: every letter and digit comes at every place, about equally often", () => {
  const counts = new Map<string, number>();
  const drawn = 24_000;
  for (let number = 0; number < drawn; number++) {
    for (const [place, character] of [...makeDeviceName()].entries()) {
      counts.set(`${place}${character}`, (counts.get(`${place}${character}`) ?? 0) + 1);
    }
  }
  assert.equal(counts.size, 3 * 24 + 1 + 3 * 8);
  for (const [what, count] of counts) {
    if (what === "3-") continue;
    const expected = drawn / (Number(what[0]) < 3 ? 24 : 8);
    // Eight standard deviations: never by chance.
    assert.ok(Math.abs(count - expected) < 8 * Math.sqrt(expected), `${what} came ${count} times`);
  }
});
