/** Failed logins are counted, delayed and end in bans: with time that stands still until a test moves it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { AttemptGuard } from "../../src/auth/index.ts";
import { type Log, ReasonCode } from "../../src/base/index.ts";
import type {
  AuthenticationRequest,
  AuthenticationResult,
  Authenticator,
} from "../../src/broker/ports.ts";
import { VirtualClock } from "../conformance/harness/index.ts";

type GuardOptions = ConstructorParameters<typeof AttemptGuard>[0];
type Settings = NonNullable<GuardOptions>["settings"];

const home = "192.0.2.7:1000";
const elsewhere = "198.51.100.1:1000";
const { badUserNameOrPassword, banned, notAuthorized, serverBusy } = ReasonCode;

/** Everyone's password is "right"; "busy", "not-here" and "anyone" end as they say. */
class Doorkeeper implements Authenticator {
  asked = 0;

  authenticate({ userName, password }: AuthenticationRequest): AuthenticationResult {
    this.asked++;
    const text = Buffer.from(password ?? "").toString();
    const refuse = (reasonCode: ReasonCode) => ({ allowed: false, reasonCode, rule: "x" }) as const;
    if (text === "right") return { allowed: true, userName, rule: "x" };
    if (text === "anyone") return { allowed: true, userName: undefined, rule: "x" };
    if (text === "busy") return refuse(serverBusy);
    return refuse(userName === undefined ? notAuthorized : badUserNameOrPassword);
  }
}

class Site {
  readonly clock = new VirtualClock();
  readonly doorkeeper = new Doorkeeper();
  readonly lines: string[] = [];
  readonly guard: AttemptGuard;
  readonly #authenticator: Authenticator;

  constructor(settings: Settings = {}) {
    const note = (facts: object, message: string) =>
      this.lines.push(`${message} ${JSON.stringify(facts)}`);
    const log: Log = { debug: note, info: note, warn: note, error: note };
    this.guard = new AttemptGuard({ clock: this.clock, log, settings });
    this.#authenticator = this.guard.guard(this.doorkeeper);
  }

  /** What is answered, and after how many milliseconds. */
  async try(remoteAddress: string, userName?: string, password?: string) {
    const begin = this.clock.now();
    let result: AuthenticationResult | undefined;
    const answer = Promise.resolve(
      this.#authenticator.authenticate({ ...login(userName, password), remoteAddress }),
    ).then((decided) => {
      result = decided;
    });
    for (let turn = 0; turn < 200 && result === undefined; turn++) {
      await nextTurn();
      if (result === undefined && turn > 2) this.clock.advance(50);
    }
    await answer;
    assert.ok(result !== undefined);
    const code = result.allowed ? ReasonCode.success : result.reasonCode;
    return { code, milliseconds: this.clock.now() - begin };
  }

  async code(remoteAddress: string, userName?: string, password?: string): Promise<ReasonCode> {
    return (await this.try(remoteAddress, userName, password)).code;
  }

  async fail(times: number, remoteAddress: string, userName: string): Promise<void> {
    for (let time = 0; time < times; time++)
      assert.equal(
        await this.code(remoteAddress, userName, `wrong-${time}`),
        badUserNameOrPassword,
      );
  }
}

function login(userName?: string, password?: string): Omit<AuthenticationRequest, "remoteAddress"> {
  return {
    clientIdentifier: "c",
    userName,
    password: password === undefined ? undefined : Buffer.from(password),
    protocolVersion: 5,
    listener: "mqtt://0.0.0.0:1883",
  };
}

test("attempts: from the fourth failure on answers wait, twice as long each time, right ones too", async () => {
  const site = new Site();
  const waits: number[] = [];
  for (let time = 0; time < 10; time++)
    waits.push((await site.try(home, "ada", "wrong")).milliseconds);
  assert.deepEqual(waits, [0, 0, 0, 250, 500, 1000, 2000, 4000, 5000, 5000]);
  const right = await site.try(home, "ada", "right");
  assert.deepEqual(right, { code: ReasonCode.success, milliseconds: 5000 });
  // What it failed before is forgiven; what it fails from now on begins anew.
  assert.deepEqual(site.guard.listBans(), []);
  assert.equal((await site.try(home, "ada", "wrong")).milliseconds, 0);
});

test("attempts: the twentieth failure within ten minutes bans the address and the user, at no cost", async () => {
  const site = new Site();
  await site.fail(20, home, "ada");
  const { asked } = site.doorkeeper;
  assert.deepEqual(await site.try(home, "bob", "right"), { code: banned, milliseconds: 0 });
  assert.deepEqual(await site.try(elsewhere, "ada", "right"), { code: banned, milliseconds: 0 });
  assert.equal(await site.code(home), banned);
  assert.equal(site.doorkeeper.asked, asked);
  assert.equal(await site.code(elsewhere, "bob", "right"), ReasonCode.success);
  site.clock.advanceSeconds(600);
  assert.equal(await site.code(home, "bob", "right"), ReasonCode.success);
  assert.equal(await site.code(elsewhere, "ada", "right"), ReasonCode.success);
});

test("attempts: nineteen in ten minutes are no ban, and what is older does not count", async () => {
  const site = new Site();
  await site.fail(19, home, "ada");
  site.clock.advanceSeconds(600);
  await site.fail(19, home, "ada");
  assert.equal(await site.code(home, "ada", "right"), ReasonCode.success);
});

test("attempts: many users from one address, and one user from many addresses, are both counted", async () => {
  const site = new Site();
  for (let time = 0; time < 20; time++) await site.fail(1, home, `user-${time}`);
  assert.equal(await site.code(home, "user-1000", "right"), banned);
  for (let time = 0; time < 20; time++) await site.fail(1, `203.0.113.${time}:1`, "ada");
  assert.equal(await site.code(elsewhere, "ada", "right"), banned);
  // All of a /64 is one address.
  for (let time = 0; time < 20; time++) await site.fail(1, `[2001:db8::${time}]:1`, `bob-${time}`);
  assert.equal(await site.code("[2001:db8::ffff]:1", "cyd", "right"), banned);
  assert.equal(await site.code("[2001:db8:0:1::1]:1", "cyd", "right"), ReasonCode.success);
});

test("attempts: nobody locks a user out of its home by guessing, elsewhere or beside it", async () => {
  const site = new Site();
  assert.equal(await site.code(home, "ada", "right"), ReasonCode.success);
  await site.fail(20, elsewhere, "ada");
  assert.equal(await site.code("203.0.113.9:1", "ada", "right"), banned);
  assert.deepEqual(await site.try(home, "ada", "right"), { code: 0, milliseconds: 0 });
  for (let time = 0; time < 20; time++) await site.fail(1, home, `user-${time}`);
  assert.equal(await site.code(home, "bob", "right"), banned);
  assert.deepEqual(await site.try(home, "ada", "right"), { code: 0, milliseconds: 0 });
  site.clock.advanceSeconds(30 * 24 * 3600);
  await site.fail(20, elsewhere, "ada");
  assert.equal(await site.code(home, "ada", "right"), banned);
});

test("attempts: who fails too often at home is a stranger there, and harms nobody before that", async () => {
  const site = new Site();
  await site.code(home, "ada", "right");
  await site.fail(20, home, "ada");
  assert.deepEqual(site.guard.listBans(), []);
  await site.fail(20, home, "ada");
  assert.equal(await site.code(home, "ada", "right"), banned);
});

test("attempts: what is no failed login with a password is not counted", async () => {
  const site = new Site();
  for (let time = 0; time < 50; time++) {
    assert.equal(await site.code(home), notAuthorized);
    assert.equal(await site.code(home, "ada"), badUserNameOrPassword);
    assert.equal(await site.code(home, "ada", ""), badUserNameOrPassword);
    assert.equal(await site.code(home, "ada", "busy"), serverBusy);
  }
  assert.deepEqual(site.guard.listBans(), []);
  // A name that nobody checked is at home nowhere.
  await site.code(home, "ada", "anyone");
  await site.fail(20, elsewhere, "ada");
  assert.equal(await site.code(home, "ada", "right"), banned);
});

test("attempts: clients of this machine have no address; a certificate without a password guesses nothing", async () => {
  const site = new Site();
  for (const local of ["127.0.0.1:5", "[::1]:5", "unix"]) {
    for (let time = 0; time < 30; time++) await site.fail(1, local, `${local}-${time}`);
    assert.equal(await site.code(local, "ada", "right"), ReasonCode.success);
  }
  await site.fail(20, home, "ada");
  const certificate = {
    commonName: "gate",
    subjectAlternativeNames: [],
    serialNumber: "1",
    fingerprint: "f",
  };
  const authenticator = site.guard.guard({
    authenticate: () => ({ allowed: true, userName: "gate", rule: "x" }),
  });
  const request = { ...login(), remoteAddress: home, clientCertificate: certificate };
  assert.equal((await authenticator.authenticate(request)).allowed, true);
  const guess = { ...request, userName: "ada", password: Buffer.from("x") };
  assert.equal((await authenticator.authenticate(guess)).allowed, false);
});

test("attempts: of a thousand guesses at once no more count than of a thousand in turn", async () => {
  const site = new Site();
  const password = (time: number) => (time < 900 ? `wrong-${time}` : "right");
  let done = 0;
  const slow: Authenticator = {
    async authenticate(request) {
      const place = done++;
      for (let turn = 0; turn < place; turn++) await Promise.resolve();
      return site.doorkeeper.authenticate(request);
    },
  };
  const authenticator = site.guard.guard(slow);
  const answers = Array.from({ length: 1000 }, (_, time) =>
    authenticator.authenticate({ ...login("ada", password(time)), remoteAddress: home }),
  );
  await nextTurn();
  site.clock.advanceSeconds(5);
  const results = await Promise.all(answers);
  const count = (code: number) =>
    results.filter((result) => !result.allowed && result.reasonCode === code).length;
  assert.equal(count(badUserNameOrPassword), 20);
  assert.equal(count(banned), 980);
});

test("attempts: who waits to be verified is told apart once its address is banned, or it has hung up", async () => {
  const site = new Site();
  const asked: AuthenticationRequest[] = [];
  const { promise, resolve } = Promise.withResolvers<AuthenticationResult>();
  const waiting = site.guard.guard({
    authenticate: (request) => {
      asked.push(request);
      return promise;
    },
  });
  let isOpen = true;
  const isAwaited = () => isOpen;
  const request = { ...login("ada", "guess"), remoteAddress: home, isAwaited };
  const answers = [waiting.authenticate(request)];
  answers.push(waiting.authenticate({ ...request, remoteAddress: elsewhere, userName: "bob" }));
  await nextTurn();
  const awaited = () => asked.map((one) => one.isAwaited?.());
  assert.deepEqual(awaited(), [true, true]);
  await site.fail(20, home, "eve");
  assert.deepEqual(awaited(), [false, true]);
  isOpen = false;
  assert.deepEqual(awaited(), [false, false]);
  resolve({ allowed: false, reasonCode: serverBusy, rule: "x" });
  await Promise.all(answers);
});

test("attempts: more waiting answers than there may be are given at once", async () => {
  const site = new Site({ delayedAnswersMax: 2 });
  await site.fail(9, home, "ada");
  const authenticator = site.guard.guard(site.doorkeeper);
  let answered = 0;
  const answers = ["a", "b", "c"].map(async (password) => {
    await authenticator.authenticate({ ...login("ada", password), remoteAddress: home });
    answered++;
  });
  await nextTurn();
  assert.equal(answered, 1);
  site.clock.advanceSeconds(5);
  await Promise.all(answers);
});

test("attempts: bans and those who are watched are listed, and lifted by command", async () => {
  const site = new Site();
  await site.fail(20, "[2001:db8::7]:1", "ada");
  const bannedUntil = site.clock.now() + 600_000;
  const [address, user, ...others] = site.guard.listBans();
  assert.deepEqual(others, []);
  assert.deepEqual(
    { ...address, bannedUntil: 0 },
    {
      subject: "2001:db8:0:0",
      kind: "address",
      failures: 20,
      bannedUntil: 0,
    },
  );
  assert.ok(Math.abs((address.bannedUntil ?? 0) - bannedUntil) < 10_000);
  assert.equal(user.subject, "ada");
  site.guard.liftBan("ada");
  assert.equal(await site.code(elsewhere, "ada", "right"), ReasonCode.success);
  site.guard.liftBan("2001:db8::1234");
  assert.equal(await site.code("[2001:db8::7]:1", "bob", "right"), ReasonCode.success);
  await site.fail(3, home, "eve");
  assert.deepEqual(
    site.guard.listBans().map(({ subject, bannedUntil: until }) => [subject, until]),
    [
      ["192.0.2.7", undefined],
      ["eve", undefined],
    ],
  );
  site.guard.liftBan("192.0.2.7");
  site.guard.liftBan("eve");
  assert.deepEqual(site.guard.listBans(), []);
  for (const subject of ["eve", "192.0.2.7", "2001:db8::7", ""])
    assert.throws(() => site.guard.liftBan(subject), { code: "BAN_UNKNOWN" });
});

test("attempts: the log tells when a ban begins and ends and how many were refused, and no password", async () => {
  const site = new Site();
  await site.fail(20, home, "ada");
  for (let time = 0; time < 7; time++) await site.code(home, "ada", "geheim");
  site.clock.advanceSeconds(600);
  assert.match(
    site.lines[0],
    /^the address 192\.0\.2\.7 is banned: too many failed logins .*"failures":20/,
  );
  assert.match(site.lines[1], /^the user "ada" is banned/);
  assert.match(site.lines[2], /^banned addresses and users tried .*"refusedAttempts":7/);
  assert.match(site.lines[3], /^the address 192\.0\.2\.7 is no longer banned: its time is over/);
  assert.match(site.lines[4], /^the user "ada" is no longer banned/);
  assert.equal(site.lines.length, 5);
  assert.doesNotMatch(site.lines.join(), /wrong-|geheim/);
  assert.equal(site.clock.timerCount, 0);
});

test("attempts: nobody fills the memory with names, addresses or bans", async () => {
  const site = new Site({ subjectsMax: 10, homesMax: 10, bansMax: 3, failuresBeforeDelayMax: 1 });
  for (let time = 0; time < 30; time++) {
    await site.fail(1, `203.0.113.${time}:1`, `user-${time}`);
    assert.equal(await site.code(`198.51.100.${time}:1`, `ada-${time}`, "right"), 0);
  }
  assert.equal(site.guard.listBans().length, 20);
  await site.fail(20, elsewhere, "ada-19");
  await site.fail(20, elsewhere.replace(".1:", ".2:"), "ada-20");
  assert.equal(await site.code("198.51.100.19:1", "ada-19", "right"), banned);
  assert.equal(await site.code("198.51.100.20:1", "ada-20", "right"), 0);
  for (const { subject } of site.guard.listBans()) site.guard.liftBan(subject);
  await site.fail(1, home, "x".repeat(60_000));
  const { subject } = site.guard.listBans().at(-1) ?? {};
  assert.match(subject ?? "", /^sha256:[0-9a-f]{64}$/);
  site.guard.liftBan("x".repeat(60_000));
  for (const name of ["a", "b", "c", "d"]) await site.fail(20, "unix", name);
  const bans = site.guard.listBans().filter(({ bannedUntil }) => bannedUntil !== undefined);
  assert.deepEqual(
    bans.map(({ subject: name }) => name),
    ["b", "c", "d"],
  );
});
