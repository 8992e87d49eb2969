/**
 * A broker and its clients, which lose the network between them without a word. Run as the first process of a network
 * namespace (`unshare`), whose loopback it takes down; tells how the broker got rid of them, as JSON on one line.
 */
import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createBroker } from "../../src/index.ts";

const clientCount = 50;

execFileSync("ip", ["link", "set", "lo", "up"]);
const endings: string[] = [];
const broker = createBroker({ limits: { endSecondsMax: 1 }, sysTopicsSeconds: 0 });
broker.on("disconnect", ({ ending }) => endings.push(`${ending.reasonCode}`));
const { url } = await broker.listen("mqtt://127.0.0.1:0");
const before = openFiles();
const crowd = fork(join(import.meta.dirname, "half-open-clients.ts"), [url, String(clientCount)]);
await once(crowd, "message");
const during = openFiles();
// They must have the bytes that wait when the network goes: not only silence, also writes that nobody takes.
execFileSync("ip", ["link", "set", "lo", "down"]);
broker.publish("t", "x".repeat(1000));
await until(() => endings.length === clientCount && openFiles() <= before + 1);
process.stdout.write(`${JSON.stringify({ endings, before, during, after: openFiles() })}\n`);
crowd.kill("SIGKILL");
await broker.close({ seconds: 1 });

function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}

async function until(reached: () => boolean): Promise<void> {
  const bound = performance.now() + 15_000;
  while (!reached() && performance.now() < bound) await sleep(20);
}
