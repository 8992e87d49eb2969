/** Users and rights of a real tserve, as mosquitto's clients meet them. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { runServe, ServeProcess, withoutMosquittoClients as skip } from "./tserve-process.ts";

const where = { skip };
let server: ServeProcess;

before(async () => {
  if (skip !== false) return;
  const hash = (await runServe(["hash-password"], { stdin: "geheim" })).stdout.trim();
  server = await ServeProcess.start({
    args: ["--log-format", "json"],
    yaml: `users:
  - name: ada
    passwordHash: ${hash}
    rights: "#"
  - name: bob
    password: builder
    rights:
      - { deny: both, filter: home/secret }
      - { allow: both, filter: home/# }
      - { allow: both, filter: "own/%u/%c/+" }
      - { allow: subscribe, filter: $SYS/broker/version }
  - { name: none, password: none, rights: [] }
`,
  });
});
after(async () => {
  if (skip !== false) return;
  assert.equal((await server.stop()).code, 0);
});

const ada = ["-u", "ada", "-P", "geheim"];
const bob = ["-u", "bob", "-P", "builder"];

/** The exit code of mosquitto_pub: the reason code of a refused CONNECT. */
async function publish(...args: readonly string[]): Promise<number | string | null> {
  return (await server.run("mosquitto_pub", "-q", "1", "-m", "x", ...args)).code;
}

/** Whether the broker takes a message from a client that it let in. */
async function mayPublish(to: ServeProcess, ...args: readonly string[]): Promise<boolean> {
  const all = ["-V", "5", "-q", "1", "-m", "x", ...args];
  const { code, stderr } = await to.run("mosquitto_pub", ...all);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^$|Warning: Publish 1 failed: Not authorized/);
  return stderr === "";
}

test("tserve: with users, a client without a name is refused", where, async () => {
  assert.equal(await publish("-V", "5", "-t", "home/x"), 0x87);
  assert.equal(await publish("-V", "311", "-t", "home/x"), 5); // [MQTT-3.2.2-4]
  await server.logged(
    /"rule":"no user name is given, and nothing else says who it is \(asked: users, anonymous\)"/,
  );
});

test("tserve: wrong passwords, wrong names and none at all are refused alike", where, async () => {
  for (const login of [
    ["-u", "ada", "-P", "wrong"],
    ["-u", "ada"],
    ["-u", "bob", "-P", "wrong"],
    ["-u", "bob", "-P", ""],
    ["-u", "eve", "-P", "geheim"],
  ]) {
    assert.equal(await publish(...login, "-V", "5", "-t", "home/x"), 0x86, login.join(" "));
    const args = [...login, "-V", "311", "-t", "home/x", "-C", "1", "-W", "5"];
    assert.equal((await server.run("mosquitto_sub", ...args)).code, 4, login.join(" "));
  }
  await server.logged(/"rule":"wrong password for user \\"ada\\", users\[0\] \(tserve\.yaml:2\)"/);
  await server.logged(
    /"rule":"no way to prove who it is knows such a user \(asked: users, anonymous\)"/,
  );
});

test("tserve: a hashed and a plain password let in", where, async () => {
  assert.equal(await publish(...ada, "-V", "5", "-t", "any/topic"), 0);
  assert.equal(await publish(...ada, "-V", "311", "-t", "any/topic"), 0);
  assert.equal(await publish(...bob, "-V", "311", "-t", "home/x"), 0);
});

test("tserve: what may be published is what the rights say", where, async () => {
  for (const [topic, allowed] of [
    ["home/x", true],
    ["home/secret", false],
    ["elsewhere", false],
    ["own/bob/lamp/x", true],
    ["own/bob/other/x", false],
    ["own/bob/lamp/x/y", false],
    ["$SYS/broker/version", false],
  ] as const) {
    assert.equal(await mayPublish(server, ...bob, "-i", "lamp", "-t", topic), allowed, topic);
  }
  await server.logged(
    /"rule":"users\[1\]\.rights\[0\]: deny both home\/secret \(tserve\.yaml:8\)"/,
  );
  assert.equal(await mayPublish(server, "-u", "none", "-P", "none", "-t", "x"), false);
});

test("tserve: a subscription is granted only inside the rights", where, async () => {
  for (const [filter, allowed] of [
    ["home/lamp", true],
    ["home/lamp/#", true],
    ["home/secret", false],
    ["home/+", false],
    ["home/#", false],
    ["#", false],
    ["own/bob/lamp/+", true],
    ["own/bob/+/x", false],
    ["own/bob/lamp/#", false],
    ["$SYS/broker/version", true],
    ["$SYS/#", false],
    ["$share/group/home/lamp", true],
    ["$share/group/home/+", false],
  ] as const) {
    for (const version of ["311", "5"]) {
      const args = [...bob, "-i", "lamp", "-V", version, "-E", "-t", filter];
      const { stderr } = await server.run("mosquitto_sub", ...args);
      const refused = /All subscription requests were denied/.test(stderr);
      assert.equal(refused, !allowed, `${filter} in ${version}: ${stderr}`);
    }
  }
});

test("tserve: a client identifier with wildcards widens nothing", where, async () => {
  for (const identifier of ["+", "#", "lamp/x"]) {
    const args = [...bob, "-i", identifier, "-V", "5", "-E", "-t", `own/bob/${identifier}/+`];
    const { stderr } = await server.run("mosquitto_sub", ...args);
    assert.match(stderr, /denied|Invalid/, identifier);
  }
  await server.logged(/users\[1\]\.rights\[2\] not usable: the name for %c or %u/);
});

test("tserve: a will must be allowed too", where, async () => {
  const will = ["--will-topic", "home/secret", "--will-payload", "gone"];
  assert.equal(await publish(...bob, "-V", "5", "-t", "home/x", ...will), 0x87);
  const allowed = ["--will-topic", "home/gone", "--will-payload", "gone"];
  assert.equal(await publish(...bob, "-V", "5", "-t", "home/x", ...allowed), 0);
});

test("tserve: clients without a name may do what anonymous.rights say", where, async () => {
  const mixed = await ServeProcess.start({
    args: ["--allow-anonymous"],
    yaml: `users: [{ name: ada, password: geheim, rights: "#" }]
anonymous: { rights: [{ allow: publish, filter: post/# }] }
`,
  });
  try {
    assert.equal(await mayPublish(mixed, "-t", "post/x"), true);
    assert.equal(await mayPublish(mixed, "-t", "home/x"), false);
    assert.equal(await mayPublish(mixed, ...ada, "-t", "home/x"), true);
  } finally {
    await mixed.stop();
  }
});
