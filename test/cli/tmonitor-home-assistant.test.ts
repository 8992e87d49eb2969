/** tmonitor and Home Assistant, as far as the broker sees them: the retained message, its birth, its removal. */
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

interface Discovery {
  readonly availability_topic: string;
  readonly components: Readonly<Record<string, { readonly state_topic: string }>>;
}

test("one retained message describes the topics that are published, and goes again when Home Assistant starts", async () => {
  const monitor = startMonitor(server.port, [
    "--name",
    "ha1",
    "--interval",
    "1",
    "--home-assistant",
  ]);
  const config = "homeassistant/device/ha1/config";
  const { payload, retain, qos } = await onlooker.sawMessage(config);
  assert.deepEqual([retain, qos], [true, 1]);
  const { availability_topic, components } = JSON.parse(payload) as Discovery;
  assert.equal(availability_topic, "ha1/status");
  await onlooker.sawMessage("ha1/uptime", undefined, onlooker.seen.length);
  const published = new Set(onlooker.seen.map(({ topic }) => topic));
  for (const { state_topic } of Object.values(components)) {
    assert.ok(published.has(state_topic), state_topic);
  }
  await onlooker.sawMessage("ha1/uptime", undefined, onlooker.seen.length);
  assert.equal(onlooker.seen.filter(({ topic }) => topic === config).length, 1);
  const from = onlooker.seen.length;
  await onlooker.client.publishAsync("homeassistant/status", "offline");
  await onlooker.sawMessage("ha1/uptime", undefined, onlooker.seen.length);
  assert.equal(onlooker.seen.filter(({ topic }) => topic === config).length, 1);
  await onlooker.client.publishAsync("homeassistant/status", "online");
  assert.equal((await onlooker.sawMessage(config, undefined, from)).payload, payload);
  monitor.child.kill("SIGTERM");
  await monitor.ended;
});

test("another prefix, JSON, and a figure that comes later: the message goes again with it", async () => {
  const monitor = startMonitor(server.port, [
    ...["--name", "ha2", "--interval", "1", "--json", "--home-assistant", "ha"],
    ...["--command", "late=sh -c 'sleep 2; echo value 5'"],
  ]);
  const config = "ha/device/ha2/config";
  const first = await onlooker.sawMessage(config);
  assert.doesNotMatch(first.payload, /late_value/);
  const isLate = ({ topic, payload }: { topic: string; payload: string }) =>
    topic === config && payload.includes('"late_value"');
  const { components } = JSON.parse(
    (await onlooker.saw("late_value", isLate)).payload,
  ) as Discovery;
  assert.equal(components.late_value.state_topic, "ha2/state");
  monitor.child.kill("SIGTERM");
  await monitor.ended;
});

test("--home-assistant-remove deletes the message, and is no end of a tmonitor that runs", async () => {
  const args = ["--name", "ha3", "--interval", "1"];
  const monitor = startMonitor(server.port, [...args, "--home-assistant"]);
  await onlooker.sawMessage("homeassistant/device/ha3/config");
  await onlooker.sawMessage("ha3/uptime");
  const removal = await startMonitor(server.port, ["--name", "ha3", "--home-assistant-remove"])
    .ended;
  assert.deepEqual([removal.code, removal.stdout, removal.stderr], [0, "", ""]);
  await onlooker.sawMessage("homeassistant/device/ha3/config", "");
  await onlooker.sawMessage("ha3/uptime", undefined, onlooker.seen.length);
  assert.deepEqual(
    onlooker.seen.filter(({ topic }) => topic === "ha3/status").map(({ payload }) => payload),
    ["online"],
  );
  const later = await Onlooker.join(server.port);
  monitor.child.kill("SIGTERM");
  await later.sawMessage("ha3/status", "offline");
  assert.deepEqual(
    later.seen.filter(({ topic }) => topic.includes("ha3/config")),
    [],
  );
  await later.leave();
});
