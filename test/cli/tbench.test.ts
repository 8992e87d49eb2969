/** tbench against the real tserve: each command, each QoS, each way to the broker, and what its JSON says. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Results } from "../../src/cli/bench/results.ts";
import { run } from "../../src/cli/tbench.ts";
import { BrokerProcess } from "../interop/broker-process.ts";
import { runInMemory } from "./memory-io.ts";
import { start } from "./programs.ts";
import { ServeProcess } from "./tserve-process.ts";

const state = {} as { broker: BrokerProcess };

before(async () => {
  state.broker = await BrokerProcess.start();
});
after(() => state.broker.stop());

const here = () => ["-h", "127.0.0.1", "-p", String(state.broker.port)];

/** Runs tbench, which must end with 0 and say nothing on stderr; its results. */
async function measure(...args: readonly string[]): Promise<Results> {
  const ended = await runInMemory(run, [...args, "--json"]);
  assert.deepEqual([ended.stderr, ended.code], ["", 0]);
  return JSON.parse(ended.stdout) as Results;
}

/** Everything sent has come, once and in order. */
function assertWhole({ received }: Results, messages: number): void {
  assert.ok(received !== undefined);
  const { expected, lost, duplicates, outOfOrder, unmarked, foreign } = received;
  assert.deepEqual([received.messages, expected], [messages, messages]);
  assert.deepEqual([lost, duplicates, outOfOrder, unmarked, foreign], [0, 0, 0, 0, 0]);
}

for (const version of ["31", "311", "5"]) {
  for (const qos of ["0", "1", "2"]) {
    test(`fan, ${version}, QoS ${qos}: 3 publishers to 4 subscribers`, async () => {
      const who = ["--publishers", "3", "--subscribers", "4", "--messages", "2000"];
      const results = await measure("fan", ...here(), ...who, "-V", version, "-q", qos);
      assertWhole(results, 3 * 2000 * 4);
      assert.equal(results.ended, "all done");
      assert.equal(results.sent?.messages, 6000);
      assert.equal(results.sent?.acknowledged, qos === "0" ? undefined : 6000);
      assert.ok((results.received?.latencyMilliseconds?.p50 ?? 0) > 0);
    });
  }
}

test("fan: pairs by %i in the topic", async () => {
  const who = ["--publishers", "20", "--subscribers", "20", "-t", "pairs/%i/x"];
  assertWhole(await measure("fan", ...here(), ...who, "--messages", "100", "--window", "1"), 2000);
});

test("fan: fan-in by a filter with a wildcard, with QoS 1 beyond 65,535 messages", async () => {
  const who = ["--publishers", "2", "--subscribers", "1", "-t", "in/%i", "--filter", "in/+"];
  const results = await measure("fan", ...here(), ...who, "--messages", "70000", "-q", "1");
  assertWhole(results, 140_000);
});

test("fan --share: each message to one of them", async () => {
  const who = ["--publishers", "2", "--subscribers", "5", "--share", "-V", "5"];
  const { received } = await measure("fan", ...here(), ...who, "--messages", "1000", "-q", "1");
  assert.equal(received?.messages, 2000);
  assert.deepEqual([received?.lost, received?.duplicates, received?.outOfOrder], [0, 0, undefined]);
});

test("fan: payloads without room for a mark are counted, and said not to be checked", async () => {
  const args = ["fan", ...here(), "--messages", "500", "-s", "0", "--subscribers", "2"];
  const { received } = await measure(...args);
  assert.deepEqual(
    [received?.messages, received?.unmarked, received?.lost, received?.outOfOrder],
    [1000, 1000, 0, undefined],
  );
  assert.match((await runInMemory(run, args)).stdout, /1,000 without tbench's mark, not checked/);
});

test("fan: payloads larger than what is written at once", async () => {
  const args = ["--subscribers", "2", "-s", "300000", "--window", "3", "--messages", "20"];
  for (const qos of ["0", "2"]) {
    const results = await measure("fan", ...here(), ...args, "-q", qos);
    assertWhole(results, 40);
    assert.equal(results.payloadBytes, 300_000);
  }
});

test("fan: a rate is kept", async () => {
  const rate = ["--publishers", "4", "--rate", "250", "--seconds", "1"];
  const { sent } = await measure("fan", ...here(), ...rate);
  assert.equal(sent?.askedPerSecond, 1000);
  const { messages = 0, messagesPerSecond = 0 } = sent ?? {};
  assert.ok(messages >= 900, `${messages}`);
  assert.ok(messagesPerSecond > 900 && messagesPerSecond < 1100, `${messagesPerSecond}`);
});

test("latency: pairs at a rate, from when messages were due", async () => {
  const args = ["latency", ...here(), "-n", "5", "--rate", "40", "--seconds", "1", "-q", "1"];
  const results = await measure(...args);
  assert.ok(results.received !== undefined && results.received.messages >= 190);
  assertWhole(results, results.received.messages);
  const { p50 = 0, p99 = 0, p999 = 0, max = 0 } = results.received.latencyMilliseconds ?? {};
  assert.ok(p50 < 300, `p50 ${p50}`);
  assert.ok(0 < p50 && p50 <= p99 && p99 <= p999 && p999 <= max, `${p50} ${p99} ${p999} ${max}`);
});

test("latency counts from when messages were due, also those that had to wait for a broker that stood still", async () => {
  const serve = await ServeProcess.start();
  try {
    const at = ["-h", "127.0.0.1", "-p", String(serve.port)];
    const measuring = measure(
      ...["latency", ...at, "-n", "1", "--rate", "100", "--seconds", "2", "-q", "1", "-M", "1"],
    );
    await sleep(700);
    serve.running.child.kill("SIGSTOP");
    await sleep(1000);
    serve.running.child.kill("SIGCONT");
    const results = await measuring;
    assertWhole(results, results.sent?.messages ?? 0);
    // Of 200 messages 100 were due while nothing moved; one was under way.
    assert.ok((results.received?.latencyMilliseconds?.p90 ?? 0) > 500);
    assert.ok((results.sent?.acknowledgementMilliseconds?.p90 ?? 1000) < 500);
  } finally {
    await serve.stop();
  }
});

test("conn: connect times, and none is lost while they are held", async () => {
  const { connections, ended, sent, received } = await measure(
    ...["conn", ...here(), "-n", "300", "--ramp", "600", "--hold", "1.5", "-k", "1"],
  );
  assert.deepEqual([connections.asked, connections.opened], [300, 300]);
  assert.deepEqual([connections.failed, connections.lost, ended], [0, 0, "all done"]);
  assert.ok(connections.openSeconds >= 0.49, `${connections.openSeconds}`);
  assert.ok((connections.openMilliseconds?.max ?? 0) > 0);
  assert.deepEqual([sent, received], [undefined, undefined]);
});

test("pub: as fast as it goes, and acknowledged", async () => {
  const fast = await measure("pub", ...here(), "-n", "3", "--seconds", "0.5");
  assert.equal(fast.ended, "seconds are over");
  assert.ok((fast.sent?.messages ?? 0) > 1000);
  const sure = await measure("pub", ...here(), "--messages", "500", "-q", "2", "-M", "7");
  assert.deepEqual([sure.sent?.messages, sure.sent?.acknowledged], [5000, 5000]);
  assert.ok((sure.sent?.acknowledgementMilliseconds?.p99 ?? 0) > 0);
});

test("sub counts and checks what two other runs publish, with their latency", async () => {
  const filters = ["-t", "other/#", "-t", "nothing"];
  const subscriber = start("tbench", [
    "sub",
    ...here(),
    "-n",
    "2",
    ...filters,
    "-C",
    "4000",
    "--json",
  ]);
  await subscriber.saw("2 clients are subscribed");
  const topic = ["-t", "other/%i"];
  const publish = () => measure("pub", ...here(), ...topic, "-n", "5", "--messages", "200");
  await Promise.all([publish(), publish()]);
  const ended = await subscriber.ended;
  assert.equal(ended.code, 0);
  const { received, ended: reason } = JSON.parse(ended.stdout) as Results;
  assert.equal(reason, "all done");
  assert.deepEqual([received?.messages, received?.expected], [4000, undefined]);
  assert.deepEqual([received?.lost, received?.duplicates, received?.outOfOrder], [0, 0, 0]);
  const { p50 = 0, max = 0 } = received?.latencyMilliseconds ?? {};
  assert.ok(p50 > 0 && max < 60_000, `${p50} ${max}`);
});

test("sub: members of a shared subscription miss nothing of what the others got", async () => {
  const shared = ["-n", "3", "-V", "5", "-t", "$share/g/shared/#", "-C", "3000", "--json"];
  const subscriber = start("tbench", ["sub", ...here(), ...shared, "-q", "1"]);
  await subscriber.saw("3 clients are subscribed");
  const pub = ["-t", "shared/%i", "-n", "2", "--messages", "1500", "-q", "1"];
  await measure("pub", ...here(), ...pub);
  const ended = await subscriber.ended;
  const { received } = JSON.parse(ended.stdout) as Results;
  assert.deepEqual([received?.messages, received?.lost, received?.duplicates], [3000, 0, 0]);
  assert.deepEqual([ended.code, received?.outOfOrder], [0, undefined]);
});

test("fan: one group to each filter of its own", async () => {
  const groups = ["--publishers", "1", "--subscribers", "3", "-t", "g/x", "-V", "5"];
  const filter = ["--filter", "$share/of-%i/g/x", "--messages", "500"];
  const { received } = await measure("fan", ...here(), ...groups, ...filter);
  assert.deepEqual([received?.expected, received?.lost, received?.duplicates], [1500, 0, 0]);
});

test("sub: how long the broker kept a retained message is no latency", async () => {
  const kept = ["-t", "kept/%i", "-n", "2", "-r", "-q", "1", "--messages", "3"];
  await measure("pub", ...here(), ...kept);
  const args = ["sub", ...here(), "-n", "1", "-t", "kept/#", "-C", "2", "-W", "5"];
  const ended = await runInMemory(run, [...args, "--json"]);
  const { received } = JSON.parse(ended.stdout) as Results;
  assert.deepEqual([received?.messages, received?.retained], [2, 2]);
  assert.equal(received?.latencyMilliseconds, undefined);
  assert.match((await runInMemory(run, args)).stdout, /, 2 retained before\n {2}tbench's CPU/);
});

test("topics and identifiers are expanded for each client", async () => {
  const { inbox, client } = await state.broker.connect();
  await client.subscribeAsync("of/#");
  const names = ["-t", "of/%i/%c", "-i", "device-%i-x", "-s", "3"];
  await measure("pub", ...here(), "-n", "2", ...names, "--messages", "1");
  await measure(
    "pub",
    ...here(),
    "-n",
    "1",
    "-t",
    "of/%c",
    "-i",
    "device",
    "-s",
    "3",
    "--messages",
    "1",
  );
  const messages = await inbox.waitFor(3);
  assert.deepEqual(messages.map(({ topic }) => topic).sort(), [
    "of/0/device-0-x",
    "of/1/device-1-x",
    "of/device-0",
  ]);
  assert.deepEqual(inbox.texts, ["xxx", "xxx", "xxx"]);
});

for (const transport of ["ws", "unix"] as const) {
  test(`over ${transport}`, async () => {
    const url = state.broker.url(transport).replace("mqtt+unix", "unix");
    const args = [
      "fan",
      "-L",
      url,
      "--publishers",
      "2",
      "--subscribers",
      "3",
      "--messages",
      "1000",
    ];
    assertWhole(await measure(...args), 6000);
    assertWhole(await measure(...args, "-q", "2", "-V", "5"), 6000);
  });
}

test("the text says the same for people", async () => {
  const args = ["fan", ...here(), "--messages", "1000", "--subscribers", "2", "-q", "1"];
  const { stdout } = await runInMemory(run, args);
  assert.match(stdout, /^tbench fan: mqtt:\/\/127\.0\.0\.1:\d+, MQTT 3\.1\.1, QoS 1, 64 bytes/);
  assert.match(stdout, /\n {2}ended {9}all done, after [\d.]+ s of messages\n/);
  assert.match(stdout, /\n {2}connections {3}3 of 3 opened in .*, 0 failed, 0 lost\n/);
  assert.match(stdout, /\n {2}sent {10}1,000 messages, [\d,]+\/s, [\d.]+ MB\/s\n/);
  assert.match(
    stdout,
    /\n {2}received {6}2,000 messages, .*\n +0 lost, 0 duplicates, 0 out of order\n/,
  );
  assert.match(stdout, /\n {2}latency {7}p50 [\d.]+ {2}p90 .* max [\d.]+ ms\n/);
});
