/** Users that are changed while a real tserve runs, through its API, as the clients that are connected meet it. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import {
  type AdminClient,
  apiPath,
  ask,
  openSocketAdmin,
} from "../../src/cli/admin-client/index.ts";
import { RunningProgram } from "./programs.ts";
import { runServe, ServeProcess, withoutMosquittoClients as skip } from "./tserve-process.ts";

const where = { skip };
const data = mkdtempSync(path.join(tmpdir(), "tserve-users-"));
let server: ServeProcess;
let admin: AdminClient;

before(async () => {
  server = await ServeProcess.start({ data, args: ["--log-format", "json"] });
  admin = await openApi(data);
});
after(async () => {
  assert.equal((await server.stop()).code, 0);
  rmSync(data, { recursive: true });
});

async function openApi(folder: string): Promise<AdminClient> {
  const client = await openSocketAdmin(path.join(folder, "tstack.sock"));
  return client ?? assert.fail("no API");
}

/** A subscriber to `filter` that the broker has already told whether it may. */
async function subscribe(name: string, filter: string): Promise<RunningProgram> {
  const login = ["-u", name, "-P", `password of ${name}`, "-i", `${name}-reader`];
  return startSubscribed(...login, "-t", filter);
}

async function startSubscribed(...args: readonly string[]): Promise<RunningProgram> {
  const to = ["-h", "127.0.0.1", "-p", String(server.port), "-V", "5", "-d"];
  // Into a pipe it says what happens only at its end.
  const all = ["-oL", "mosquitto_sub", ...to, ...args];
  const subscriber = new RunningProgram("stdbuf", all, { stdin: "" });
  await subscriber.saw("received SUBACK", "stdout");
  return subscriber;
}

async function publish(name: string, topic: string): Promise<string> {
  const login = ["-V", "5", "-u", name, "-P", `password of ${name}`, "-q", "1"];
  const { code, stderr } = await server.run("mosquitto_pub", ...login, "-t", topic, "-m", "x");
  return stderr.includes("Not authorized") ? "not authorized" : `${code}`;
}

function addUser(name: string, filter: string): Promise<unknown> {
  const rules = [{ allow: "both", filter }];
  return ask(admin, "POST", "/v1/users", { name, password: `password of ${name}`, rules });
}

test("tserve: the first user ends the time of clients without a name", where, async () => {
  assert.equal(statSync(path.join(data, "tstack.sock")).mode & 0o777, 0o600);
  const guest = await startSubscribed("-t", "#");
  await addUser("ada", "ada/#");
  await server.logged(/there are users now: clients without a user name are refused from now on/);
  assert.match((await guest.ended).stdout, /Received DISCONNECT \(135\)/);
  const refused = await server.run("mosquitto_pub", "-V", "5", "-t", "a", "-m", "x");
  assert.equal(refused.code, 0x87);
  assert.equal(await publish("ada", "ada/x"), "0");
});

test(
  "tserve: a right that is granted counts at once, one that is revoked ends the subscription",
  where,
  async () => {
    await addUser("bob", "bob/#");
    assert.equal(await publish("bob", "home/x"), "not authorized");
    await ask(admin, "POST", apiPath`/v1/users/${"bob"}/rights`, {
      rules: [{ allow: "both", filter: "home/#" }],
    });
    const subscriber = await subscribe("bob", "home/#");
    assert.equal(await publish("bob", "home/x"), "0");
    await subscriber.saw("PUBLISH (d0, q0, r0, m0, 'home/x'", "stdout");
    await ask(admin, "POST", apiPath`/v1/users/${"bob"}/rights/revoke`, { filters: ["home/#"] });
    assert.match((await subscriber.ended).stdout, /Received DISCONNECT \(135\)/);
    await server.logged(/the subscription to home\/# has ended: it is no longer allowed/);
    assert.equal(await publish("bob", "home/x"), "not authorized");
  },
);

test(
  "tserve: who is removed, disabled or has another password is cut off at once",
  where,
  async () => {
    const changes = {
      eve: () => ask(admin, "DELETE", apiPath`/v1/users/${"eve"}`),
      dan: () => ask(admin, "PUT", apiPath`/v1/users/${"dan"}/enabled`, { isEnabled: false }),
      liz: () =>
        ask(admin, "PUT", apiPath`/v1/users/${"liz"}/password`, { password: "another one" }),
    };
    for (const [name, change] of Object.entries(changes)) {
      await addUser(name, "own/%u/#");
      const subscriber = await subscribe(name, `own/${name}/#`);
      await change();
      assert.match((await subscriber.ended).stdout, /Received DISCONNECT \(152\)/, name);
      assert.equal(await publish(name, `own/${name}/x`), `${0x86}`, name);
    }
  },
);

test("tserve: guesses of a password are counted, and shown", where, async () => {
  const login = ["-V", "5", "-u", "ada", "-P", "wrong", "-t", "a", "-m", "x"];
  for (let attempt = 0; attempt < 4; attempt++) await server.run("mosquitto_pub", ...login);
  const bans = await ask<{ subject: string; failures: number }[]>(admin, "GET", "/v1/bans");
  const ban = bans.find(({ subject }) => subject === "ada");
  assert.equal(ban?.failures, 4);
});

test("tserve: users of the configuration are shown by the API, and changed nowhere but in the file", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "tserve-users-"));
  const yaml = "users: [{ name: ada, password: geheim, rights: a/# }]\n";
  const other = await ServeProcess.start({ data: folder, yaml });
  try {
    const api = await openApi(folder);
    const [user] = await ask<{ name: string; origin: string }[]>(api, "GET", "/v1/users");
    assert.deepEqual([user.name, user.origin], ["ada", "configuration"]);
    const { status } = await api.request("DELETE", "/v1/users/ada");
    assert.equal(status, 409);
    const question = { user: "ada", action: "publish", topic: "a/b" };
    const explained = await ask<{ allowed: boolean }>(api, "POST", "/v1/explain", question);
    assert.equal(explained.allowed, true);
  } finally {
    await other.stop();
    rmSync(folder, { recursive: true });
  }
});

test("tserve: users are there again after its end, and open a listener to other machines", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "tserve-users-"));
  try {
    const first = await ServeProcess.start({ data: folder });
    const user = { name: "ada", password: "x", rules: [] };
    await ask(await openApi(folder), "POST", "/v1/users", user);
    await first.stop("SIGKILL");
    const yaml = "listen: [mqtt://0.0.0.0:0]\n";
    const second = await ServeProcess.start({ data: folder, yaml, args: ["--log-format", "json"] });
    assert.match(second.output, /who may connect: 1 user of the store/);
    assert.match(second.output, /0\.0\.0\.0:\d+ is not encrypted: other machines reach it/);
    await second.stop();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test(
  "tserve: anonymous clients that are allowed by name need rights beside stored users",
  where,
  async () => {
    const args = ["--allow-anonymous", "--log-format", "json"];
    const folder = mkdtempSync(path.join(tmpdir(), "tserve-users-"));
    const open = await ServeProcess.start({ data: folder, args });
    const anyone = ["-V", "5", "-t", "a", "-m", "x"];
    try {
      assert.equal((await open.run("mosquitto_pub", ...anyone)).code, 0);
      await ask(await openApi(folder), "POST", "/v1/users", {
        name: "ada",
        password: "x",
        rules: [],
      });
      await open.logged(/there are users now/);
      assert.equal((await open.run("mosquitto_pub", ...anyone)).code, 0x87);
      await open.stop();
      const again = await ServeProcess.start({ data: folder, args });
      await again.logged(
        /although allowAnonymous is true: there are users, so anonymous\.rights must/,
      );
      await again.stop();
      const yaml = "anonymous: { rights: a }\n";
      const mixed = await ServeProcess.start({ data: folder, yaml, args });
      assert.match(
        mixed.output,
        /who may connect: 1 user of the store, and clients without a user name/,
      );
      assert.equal((await mixed.run("mosquitto_pub", ...anyone)).code, 0);
      await mixed.stop();
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test("tserve: a start that fails leaves neither a socket nor a lock", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "tserve-users-"));
  const missing = `unix://${folder}/none/socket`;
  try {
    const args = ["--listen", missing, "--data", folder, "--durability", "os"];
    const { code, stderr } = await runServe(args);
    assert.equal(code, 1);
    assert.match(stderr, /directory of the socket/);
    assert.equal(existsSync(path.join(folder, "tstack.sock")), false);
    await (await ServeProcess.start({ data: folder })).stop();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
