/** tuser as a process against a tserve that runs: what it does counts at once. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { type Ended, RunningProgram, run, startSubscribed } from "./programs.ts";
import { ServeProcess } from "./tserve-process.ts";

const tuser = path.join(import.meta.dirname, "../../src/cli/tuser.ts");
const folder = mkdtempSync(path.join(tmpdir(), "tuser-running-"));
let broker: ServeProcess;

before(async () => {
  const yaml = "authentication: { bans: { failuresBeforeDelayMax: 1 } }\n";
  broker = await ServeProcess.start({ data: folder, yaml });
});
after(async () => {
  await broker.stop();
  rmSync(folder, { recursive: true });
});

function runTuser(args: readonly string[], password?: string): Promise<Ended> {
  const environment = {
    TSTACK_DATA: folder,
    ...(password === undefined ? {} : { TSTACK_NEW_PASSWORD: password }),
  };
  return new RunningProgram(process.execPath, [tuser, ...args], { environment, stdin: "" }).ended;
}

async function must(args: readonly string[], password?: string): Promise<string> {
  const { code, stdout, stderr } = await runTuser(args, password);
  assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
  return stdout;
}

function subscribe(name: string, password: string, filter: string): Promise<RunningProgram> {
  const credentials = ["-h", "127.0.0.1", "-p", String(broker.port), "-u", name, "-P", password];
  return startSubscribed([...credentials, "-i", `${name}-1`, "-t", filter, "--no-reconnect"]);
}

test("the socket of the API is its owner's alone while the broker runs", () => {
  assert.equal(statSync(path.join(folder, "tstack.sock")).mode & 0o777, 0o600);
});

test("a new user may come in at once, and its session is shown", async () => {
  const added = await runTuser(["add", "ada", "--rights", "ada/#"], "secret");
  assert.match(added.stderr, /first user: clients without a user name are refused from now on/);
  const subscriber = await subscribe("ada", "secret", "ada/#");
  const shown = await must(["show", "ada"]);
  assert.match(shown, /sessions:\n {2}ada-1: connected from 127\.0\.0\.1:\d+\n$/);
  subscriber.child.kill("SIGTERM");
  await subscriber.ended;
});

test("a right that is revoked, a password that is changed, a user that is disabled or removed: each ends it at once", async () => {
  await must(["add", "bob", "--rights", "b/#"], "one");
  const byRight = await subscribe("bob", "one", "b/#");
  await must(["revoke", "bob", "b/#"]);
  assert.notEqual((await byRight.ended).code, 0);

  await must(["grant", "bob", "b/#"]);
  const byPassword = await subscribe("bob", "one", "b/#");
  await must(["passwd", "bob"], "two");
  assert.notEqual((await byPassword.ended).code, 0);

  const byState = await subscribe("bob", "two", "b/#");
  await must(["disable", "bob"]);
  assert.notEqual((await byState.ended).code, 0);

  await must(["enable", "bob"]);
  const byRemoval = await subscribe("bob", "two", "b/#");
  await must(["remove", "bob"]);
  assert.notEqual((await byRemoval.ended).code, 0);
  const { code, stderr } = await runTuser(["show", "bob"]);
  assert.deepEqual([code, stderr], [1, 'tuser: there is no user "bob": tuser list names all\n']);
});

test("who gives wrong passwords is listed, and unban lets it try again at once", async () => {
  await must(["add", "guessed", "--rights", "x"], "right");
  const guess = ["-u", "guessed", "-P", "wrong", "-t", "x", "-m", "y"];
  const endpoint = ["-h", "127.0.0.1", "-p", String(broker.port)];
  assert.notEqual((await run("tpublish", [...endpoint, ...guess])).code, 0);
  assert.equal(
    await must(["bans"]),
    "WHO      KIND  FAILURES  STATE\nguessed  user  1         delayed only\n",
  );
  assert.equal(await must(["unban", "guessed"]), "");
  assert.doesNotMatch(await must(["bans"]), /guessed/);
  const { code, stderr } = await runTuser(["unban", "guessed"]);
  assert.equal(code, 1);
  assert.match(stderr, /guessed/);
  await must(["remove", "guessed"]);
});

test("neither ps nor the broker's log shows a password or a hash", async () => {
  await must(["add", "eve", "--rights", "e", "--scram"], "a-secret-of-eve");
  const { users } = JSON.parse(await must(["export"])) as { users: { passwordHash: string }[] };
  for (const { passwordHash } of users) assert.equal(broker.output.includes(passwordHash), false);
  assert.equal(broker.output.includes("a-secret-of-eve"), false);
  assert.match(broker.output, /API: addUser .*eve/);
  await must(["remove", "eve"]);
});

test("a broker that was killed leaves its folder to tuser, and its stale socket to the next broker", async () => {
  const own = mkdtempSync(path.join(tmpdir(), "tuser-killed-"));
  const killed = await ServeProcess.start({ data: own });
  killed.running.child.kill("SIGKILL");
  await killed.running.ended;
  assert.ok(existsSync(path.join(own, "tstack.sock")), "the stale socket is there");
  const added = await runTuser(["--data", own, "add", "ada", "--rights", "#"], "x");
  assert.equal(added.code, 0, added.stderr);
  const again = await ServeProcess.start({ data: own });
  const listed = await runTuser(["list", "--data", own]);
  assert.match(listed.stdout, /^ada {3}password/m);
  await again.stop();
  assert.equal(existsSync(path.join(own, "tstack.sock")), false);
  rmSync(own, { recursive: true });
});
