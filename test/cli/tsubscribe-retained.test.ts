/** Retained messages in tsubscribe: shown or not, alone, counted, and deleted. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connectAsync, type MqttClient } from "mqtt";
import { Mosquitto, withoutMosquitto } from "./mosquitto.ts";
import { type Ended, run, startSubscribed } from "./programs.ts";

const skip = withoutMosquitto;
let broker: Mosquitto;
let at: string[];
let seed: MqttClient;

before(async () => {
  if (skip) return;
  broker = await Mosquitto.start();
  at = ["-h", "127.0.0.1", "-p", String(broker.port)];
  seed = await connectAsync(`mqtt://127.0.0.1:${broker.port}`);
});
after(async () => {
  await seed?.endAsync();
  await broker?.stop();
});

async function retain(...topics: string[]): Promise<void> {
  for (const topic of topics) {
    await run("tpublish", [...at, "-q", "1", "-r", "-t", topic, "-m", `kept ${topic}`]);
  }
}

const subscribe = (...args: string[]): Promise<Ended> => run("tsubscribe", [...at, ...args]);

test("-R prints fresh messages only", { skip }, async () => {
  await retain("r/R");
  const subscriber = await startSubscribed([...at, "-t", "r/R", "-R", "-C", "1"]);
  await run("tpublish", [...at, "-t", "r/R", "-m", "fresh"]);
  assert.equal((await subscriber.ended).stdout, "fresh\n");
});

test("--retained-only ends at the first fresh message, unprinted", { skip }, async () => {
  await retain("r/only");
  const subscriber = await startSubscribed([...at, "-t", "r/only", "--retained-only"]);
  await run("tpublish", [...at, "-t", "r/only", "-m", "fresh"]);
  const { code, stdout } = await subscriber.ended;
  assert.deepEqual([code, stdout], [0, "kept r/only\n"]);
});

test("--retained-only -E ends after the last of many retained messages", { skip }, async () => {
  const count = 300;
  const topics = Array.from({ length: count }, (_, index) => `r/many/${index}`);
  await Promise.all(
    topics.map((topic) => seed.publishAsync(topic, "kept", { qos: 1, retain: true })),
  );
  for (const qos of ["0", "1", "2"]) {
    const args = ["-t", "r/many/#", "--retained-only", "-E", "-q", qos, "-F", "%t", "-W", "20"];
    const { code, stdout } = await subscribe(...args);
    assert.equal(code, 0);
    assert.deepEqual(new Set(stdout.trimEnd().split("\n")), new Set(topics));
  }
});

test("--retained-only -E with nothing retained ends at once, with 0", { skip }, async () => {
  const ended = await subscribe("-t", "r/nothing", "--retained-only", "-E", "-W", "20");
  assert.deepEqual(ended, { code: 0, stdout: "", stderr: "" });
});

test("--retained-only, -C and -W work together", { skip }, async () => {
  await retain("r/CW/a", "r/CW/b");
  const first = await subscribe("-t", "r/CW/+", "--retained-only", "-C", "2", "-W", "20");
  assert.deepEqual([first.code, first.stdout.split("\n").length], [0, 3]);
  const second = await subscribe("-t", "r/CW/+", "--retained-only", "-C", "3", "-W", "1");
  assert.deepEqual([second.code, second.stdout.split("\n").length], [27, 3]);
});

test("--remove-retained deletes what comes, but what -T filters out", { skip }, async () => {
  await retain("r/rm/a", "r/rm/b", "r/rm/spared");
  const only = ["-t", "r/rm/#", "--retained-only", "-E", "-W", "20", "-F", "%t"];
  const removed = await subscribe(...only, "--remove-retained", "-T", "r/rm/spared");
  assert.equal(removed.code, 0);
  assert.deepEqual(removed.stdout.trimEnd().split("\n").sort(), ["r/rm/a", "r/rm/b"]);
  assert.equal((await subscribe(...only)).stdout, "r/rm/spared\n");
});

test("--remove-retained deletes what -R hides, too", { skip }, async () => {
  await retain("r/hidden");
  const subscriber = await startSubscribed([...at, "-t", "r/hidden", "-R", "--remove-retained"]);
  await subscriber.saw("received PUBACK");
  subscriber.child.kill("SIGTERM");
  assert.deepEqual([(await subscriber.ended).code, (await subscriber.ended).stdout], [0, ""]);
  const left = await subscribe("-t", "r/hidden", "--retained-only", "-E", "-W", "20");
  assert.equal(left.stdout, "");
});

test("--remove-retained -C 1 ends after the deletion has been acknowledged", { skip }, async () => {
  await retain("r/one");
  await subscribe("-t", "r/one", "--remove-retained", "-C", "1", "-W", "20");
  const left = await subscribe("-t", "r/one", "--retained-only", "-E", "-W", "20");
  assert.deepEqual([left.code, left.stdout], [0, ""]);
});

test("--remove-retained --retained-only deletes all there is, and ends", { skip }, async () => {
  const topics = Array.from({ length: 200 }, (_, index) => `r/all/${index}`);
  await Promise.all(topics.map((topic) => seed.publishAsync(topic, "x", { qos: 1, retain: true })));
  const args = ["-t", "r/all/#", "--remove-retained", "--retained-only", "-W", "20", "-F", "%t"];
  const removed = await subscribe(...args, "-q", "1");
  assert.equal(removed.code, 0);
  assert.deepEqual(new Set(removed.stdout.trimEnd().split("\n")), new Set(topics));
  const left = await subscribe("-t", "r/all/#", "--retained-only", "-E", "-W", "20");
  assert.equal(left.stdout, "");
});
