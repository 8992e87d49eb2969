/** tmonitor against a real tserve when one of them goes away: the will, a lost connection, a broker that comes back. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Onlooker, startMonitor } from "./monitor-world.ts";
import { Relay } from "./relay.ts";
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

test("a tmonitor that is killed is offline by its will", async () => {
  const monitor = startMonitor(server.port, ["--name", "killed", "--interval", "1"]);
  await onlooker.sawMessage("killed/status", "online");
  monitor.child.kill("SIGKILL");
  const offline = await onlooker.sawMessage("killed/status", "offline");
  assert.equal(offline.retain, true);
});

test("a lost connection comes back: online again, all figures again, and none of the time between", async (context) => {
  const relay = await Relay.start(server.port);
  context.after(() => relay.stop());
  const args = ["--name", "lost", "--interval", "1", "--change", "100%", "--at-least", "1000"];
  const monitor = startMonitor(relay.port, args);
  await onlooker.sawMessage("lost/cpu/load1");
  const from = onlooker.seen.length;
  relay.cut();
  await onlooker.sawMessage("lost/status", "offline", from);
  await onlooker.sawMessage("lost/status", "online", from);
  await onlooker.sawMessage("lost/cpu/load1", undefined, from);
  monitor.child.kill("SIGTERM");
  await onlooker.saw(
    "the end",
    ({ topic, payload }) => /lost\/status/.test(topic) && payload === "offline",
    from + 2,
  );
  const { stderr } = await monitor.ended;
  assert.match(stderr, /closed the connection; trying again\n$/);
  // Unchanged, so only once since it came back: nothing had been kept of the time between.
  const times = below("lost").filter(({ topic }) => topic === "lost/memory/percent").length;
  assert.equal(times, 2);
});

test("the broker restarts: tmonitor is there again, and its will is too", async (context) => {
  const first = await ServeProcess.start();
  const monitor = startMonitor(first.port, ["--name", "again", "--interval", "1"]);
  context.after(() => monitor.child.kill("SIGKILL"));
  await monitor.saw("publishing");
  await first.stop("SIGKILL");
  const second = await ServeProcess.start({ yaml: `listen: ["mqtt://127.0.0.1:${first.port}"]\n` });
  context.after(() => second.stop());
  const other = await Onlooker.join(second.port);
  context.after(() => other.leave());
  await other.sawMessage("again/status", "online");
  await other.sawMessage("again/cpu/percent");
  monitor.child.kill("SIGKILL");
  await other.sawMessage("again/status", "offline");
});
