/** tpublish against mosquitto: each source of messages, each flag of a message, and what is refused. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { Mosquitto, withoutMosquitto } from "./mosquitto.ts";
import { type Ended, run, start, startSubscribed } from "./programs.ts";

const skip = withoutMosquitto;
let broker: Mosquitto;
let at: string[];

before(async () => {
  if (skip) return;
  broker = await Mosquitto.start();
  at = ["-h", "127.0.0.1", "-p", String(broker.port)];
});
after(() => broker?.stop());

/** What a subscriber to `topic` prints, in `format`, while tpublish runs with `args`. */
async function publishAndSee(
  topic: string,
  args: readonly string[],
  options: { readonly count?: number; readonly format?: string; readonly stdin?: string } = {},
): Promise<{ readonly seen: string; readonly ended: Ended }> {
  const { count = 1, format = "%p|%q|%r", stdin } = options;
  const subscriber = await startSubscribed([
    ...at,
    ...["-t", topic, "-q", "2", "-V", "5", "-C", String(count), "-W", "20", "-F", format],
  ]);
  const ended = await run("tpublish", [...at, "-t", topic, ...args], { stdin });
  const { stdout } = await subscriber.ended;
  return { seen: stdout, ended };
}

test("-m publishes one message, silently, and ends with 0", { skip }, async () => {
  const { seen, ended } = await publishAndSee("p/m", ["-m", "hello wörld"]);
  assert.equal(seen, "hello wörld|0|0\n");
  assert.deepEqual(ended, { code: 0, stdout: "", stderr: "" });
});

for (const version of ["31", "311", "5"]) {
  for (const qos of ["0", "1", "2"]) {
    test(`-V ${version} -q ${qos} arrives with that QoS`, { skip }, async () => {
      const topic = `p/version/${version}/${qos}`;
      const { seen, ended } = await publishAndSee(topic, ["-V", version, "-q", qos, "-m", "x"]);
      assert.equal(seen, `x|${qos}|0\n`);
      assert.equal(ended.code, 0);
    });
  }
}

test("-V takes mosquitto's long names, too", { skip }, async () => {
  for (const version of ["mqttv31", "mqttv311", "mqttv5"]) {
    const args = ["-t", "p/long", "-V", version, "-q", "1", "-m", "x"];
    assert.equal((await run("tpublish", [...at, ...args])).code, 0);
  }
});

test("-f publishes the bytes of a file", { skip }, async () => {
  const file = path.join(broker.folder, "payload");
  const bytes = Buffer.from([0, 255, 10, 13, 128]);
  await writeFile(file, bytes);
  const { seen } = await publishAndSee("p/f", ["-f", file], { format: "%x" });
  assert.equal(seen, "00ff0a0d80\n");
});

test("-s publishes the whole of stdin, its newlines included", { skip }, async () => {
  const { seen } = await publishAndSee("p/s", ["-s"], { stdin: "a\nb\n", format: "%x" });
  assert.equal(seen, "610a620a\n");
});

test("-n -r deletes a retained message", { skip }, async () => {
  await run("tpublish", [...at, "-t", "p/n", "-r", "-m", "kept"]);
  const kept = await run("tsubscribe", [...at, "-t", "p/n", "-C", "1", "-W", "10", "-F", "%p %r"]);
  assert.equal(kept.stdout, "kept 1\n");
  assert.equal((await run("tpublish", [...at, "-t", "p/n", "-r", "-n"])).code, 0);
  const gone = await run("tsubscribe", [...at, "-t", "p/n", "-C", "1", "-W", "1"]);
  assert.deepEqual([gone.stdout, gone.code], ["", 27]);
});

test("--repeat publishes it so often, --repeat-delay waits between", { skip }, async () => {
  const begin = Date.now();
  const args = ["-m", "again", "--repeat", "3", "--repeat-delay", "0.3", "-q", "1"];
  const { seen } = await publishAndSee("p/repeat", args, { count: 3 });
  assert.equal(seen, "again|1|0\n".repeat(3));
  assert.ok(Date.now() - begin >= 600);
});

test("-D publish carries the properties of MQTT 5, and chooses it", { skip }, async () => {
  const properties = [
    ["user-property", "room", "kitchen"],
    ["user-property", "room", "attic"],
    ["user-property", "-t", "--x"],
    ["content-type", "text/plain"],
    ["response-topic", "answers/1"],
    ["correlation-data", "c1"],
    ["message-expiry-interval", "100"],
    ["payload-format-indicator", "1"],
  ].flatMap((property) => ["-D", "publish", ...property]);
  const format = "%P;%C;%R;%D;%E;%F";
  const { seen } = await publishAndSee("p/D", [...properties, "-m", "x"], { format });
  assert.equal(seen, "room:kitchen room:attic -t:--x;text/plain;answers/1;c1;100;1\n");
});

test("-L names broker and topic at once", { skip }, async () => {
  const subscriber = await startSubscribed([...at, "-t", "p/url/#", "-C", "1", "-v"]);
  const url = `mqtt://127.0.0.1:${broker.port}/p/url/a`;
  assert.equal((await run("tpublish", ["-L", url, "-m", "x"])).code, 0);
  assert.equal((await subscriber.ended).stdout, "p/url/a x\n");
});

test("TSTACK_BROKER is the broker where no option names one", { skip }, async () => {
  const subscriber = await startSubscribed([...at, "-t", "p/env", "-C", "1"]);
  const environment = { TSTACK_BROKER: `mqtt://127.0.0.1:${broker.port}` };
  const ended = await run("tpublish", ["-t", "p/env", "-m", "x"], { environment });
  assert.deepEqual(ended, { code: 0, stdout: "", stderr: "" });
  assert.equal((await subscriber.ended).stdout, "x\n");
});

test("a will is published when the program is killed, and not when it ends", { skip }, async () => {
  const will = ["--will-topic", "p/will", "--will-payload", "gone", "--will-qos", "1"];
  const watcher = await startSubscribed([...at, "-t", "p/will", "-q", "1", "-C", "1", "-W", "20"]);
  const killed = start("tpublish", [...at, "-d", "-t", "p/x", "-l", ...will]);
  await killed.saw("received CONNACK");
  const polite = ["--will-topic", "p/will", "--will-payload", "wrong", "-t", "p/x", "-m", "x"];
  assert.equal((await run("tpublish", [...at, ...polite])).code, 0);
  killed.child.kill("SIGKILL");
  assert.equal((await watcher.ended).stdout, "gone\n");
});

test("--will-retain keeps the will for later subscribers", { skip }, async () => {
  const will = ["--will-topic", "p/will/kept", "--will-payload", "gone", "--will-retain"];
  const watcher = await startSubscribed([...at, "-t", "p/will/kept", "-C", "1", "-W", "20"]);
  const killed = start("tpublish", [...at, "-d", "-t", "p/x", "-l", ...will]);
  await killed.saw("received CONNACK");
  killed.child.kill("SIGKILL");
  await watcher.ended;
  const later = await run("tsubscribe", [...at, "-t", "p/will/kept", "-C", "1", "-F", "%p %r"]);
  assert.equal(later.stdout, "gone 1\n");
});

test("-f of a file that is not there says so", { skip }, async () => {
  const ended = await run("tpublish", [...at, "-t", "a", "-f", "/nowhere/at/all"]);
  assert.deepEqual(ended, {
    code: 1,
    stdout: "",
    stderr: "tpublish: -f /nowhere/at/all: no such file\n",
  });
});
