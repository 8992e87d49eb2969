/** tmonitor against a real tserve: topics, payloads, the status, what fails. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Onlooker, startMonitor } from "./monitor-world.ts";
import { ServeProcess } from "./tserve-process.ts";

let server: ServeProcess;
let onlooker: Onlooker;

before(async () => {
  server = await ServeProcess.start();
  onlooker = await Onlooker.join(server.port);
});
after(async () => {
  await onlooker?.leave();
  await server?.stop();
});

const below = (name: string) =>
  onlooker.seen.filter(({ topic }) => topic.startsWith(`${name}/`) && topic !== `${name}/status`);

test("one plain number a topic, QoS 0, not retained; online and offline retained", async () => {
  const monitor = startMonitor(server.port, ["--name", "plain", "--interval", "1", "--cores"]);
  await onlooker.sawMessage("plain/uptime");
  await onlooker.sawMessage("plain/uptime", undefined, onlooker.seen.length);
  monitor.child.kill("SIGTERM");
  const { code, stdout, stderr } = await monitor.ended;
  assert.deepEqual([code, stdout], [0, ""]);
  assert.equal(
    stderr,
    `tmonitor: publishing plain/# to mqtt://127.0.0.1:${server.port} every 1 s\n`,
  );
  const offline = await onlooker.sawMessage("plain/status", "offline");
  assert.deepEqual([offline.retain, offline.qos], [true, 1]);
  assert.equal(onlooker.seen.filter(({ topic }) => topic === "plain/status").length, 2);
  const topics = new Set(below("plain").map(({ topic }) => topic.slice("plain/".length)));
  for (const topic of [
    "cpu/percent",
    "cpu/load1",
    "cpu/load15",
    "cpu/core/0/percent",
    "memory/used",
  ]) {
    assert.ok(topics.has(topic), topic);
  }
  for (const { topic, payload, retain, qos } of below("plain")) {
    assert.match(payload, /^-?\d+(?:\.\d{1,2})?$/, topic);
    assert.deepEqual([retain, qos], [false, 0], topic);
  }
});

test("-r retains the figures, -q is their QoS, and JSON is one message", async () => {
  const args = ["--name", "site/json", "--interval", "1", "--json", "-r", "-q", "1"];
  const monitor = startMonitor(server.port, args);
  const state = await onlooker.sawMessage("site/json/state");
  assert.deepEqual([state.retain, state.qos], [true, 1]);
  const { cpu, memory, uptime } = JSON.parse(state.payload) as Record<
    string,
    Record<string, number>
  >;
  assert.equal(typeof cpu.load1, "number");
  assert.ok(memory.used > 0);
  assert.ok(Number(uptime) > 0);
  await onlooker.sawMessage("site/json/state", undefined, onlooker.seen.length);
  assert.deepEqual([...new Set(below("site/json").map(({ topic }) => topic))], ["site/json/state"]);
  monitor.child.kill("SIGINT");
  assert.equal((await monitor.ended).code, 0);
});

test("--change holds back what is nearly the same", async () => {
  const monitor = startMonitor(server.port, [
    ...["--name", "changed", "--interval", "1", "--change", "50%"],
    ...["--command", "own=echo same 7"],
    ...["--command", "clock=sh -c 'echo parity $(( $(date +%s) % 2 ))'"],
  ]);
  await onlooker.sawMessage("changed/own/same", "7");
  for (const parity of ["0", "1", "0"]) {
    await onlooker.sawMessage("changed/clock/parity", parity, onlooker.seen.length);
  }
  monitor.child.kill("SIGTERM");
  await monitor.ended;
  const counts = (topic: string) => below("changed").filter((seen) => seen.topic === topic).length;
  assert.equal(counts("changed/own/same"), 1);
  assert.equal(counts("changed/disks/root/percent"), 1);
});

test("what fails is told once, is published nowhere, and the rest goes on", async () => {
  const monitor = startMonitor(server.port, [
    ...["--name", "failing", "--interval", "1", "--command", "bad=printf 'x 1\\n../+/# 2\\n'"],
    ...["--command", "gone=/no/such/program", "--command", "well=echo a/b 1.5"],
  ]);
  for (let count = 0; count < 3; count += 1) {
    await onlooker.sawMessage("failing/well/a/b", "1.5", onlooker.seen.length);
  }
  monitor.child.kill("SIGTERM");
  const { stderr } = await monitor.ended;
  assert.deepEqual(stderr.split("\n").slice(1).sort(), [
    "",
    'tmonitor: the command bad: line 2 is not "name value", it has a name that makes no topic: "../+/# 2"',
    "tmonitor: the command gone: no such file",
  ]);
  assert.deepEqual(
    below("failing").filter(({ topic }) => /bad|gone/.test(topic)),
    [],
  );
});
