/** Thousands of sessions whose clients are away and that all match one topic: each message is on disk once. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { CommitOutcome, StorageChange } from "../../src/broker/index.ts";
import { encodePacket, PacketType } from "../../src/codec/index.ts";
import { MemoryStorage } from "../../src/storage/index.ts";
import { TestBroker } from "../broker/test-broker.ts";
import { ServeProcess } from "../cli/tserve-process.ts";
import { connectPacket, RawClient } from "../conformance/harness/index.ts";
import { puback, publish, subscribe, subscribed } from "../conformance/packets.ts";
import { Crowd } from "./crowd.ts";

const sessions = 10_000;
const messages = 30;
const payloadBytes = 10_000;
const megabyte = 1_048_576;

const persistent = { cleanStart: false, properties: { sessionExpiryInterval: 3600 } };

/** CONNECT, SUBSCRIBE and DISCONNECT in one write: what is left is a session. */
function leaveBehind(index: number): Buffer {
  const connect = connectPacket(5, { clientIdentifier: `away-${index}`, ...persistent });
  return Buffer.concat([
    encodePacket(connect, 5),
    encodePacket(subscribe({ filter: "news", qos: 1 }), 5),
    Buffer.from("e000", "hex"),
  ]);
}

function residentBytes(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
}

function bytesOf(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
}

async function connected(port: number, clientIdentifier: string, fields = {}) {
  const client = await RawClient.open(`mqtt://127.0.0.1:${port}`, 5);
  await client.connect({ clientIdentifier, ...fields });
  return client;
}

test("what a chunk brings is kept once for all sessions, not once for each", async () => {
  const kept: string[] = [];
  class WatchedStorage extends MemoryStorage {
    override commit(changes: readonly StorageChange[]): CommitOutcome {
      kept.push(...changes.map(({ kind }) => kind));
      return super.commit(changes);
    }
  }
  const broker = new TestBroker({ storage: new WatchedStorage() });
  for (let count = 0; count < 50; count++) {
    const client = await broker.connect(`away-${count}`, persistent);
    client.subscribe("news", 1);
    await broker.settle();
    if (count < 25) client.lose();
  }
  const publisher = await broker.connect("publisher");
  publisher.publish("news", "first", { qos: 1 });
  await broker.settle();
  kept.length = 0;
  // One after the other with the same topic: they go through the broker as one range.
  publisher.send(
    ...["a", "b"].map((payload) => publisher.publishPacket("news", payload, { qos: 1 })),
  );
  await broker.settle();
  assert.equal(kept.filter((kind) => kind === "row").length, 100);
  assert.equal(kept.filter((kind) => kind === "message").length, 2);
});

/** The value of a figure of `$SYS`, once it is this. */
async function waitForFigure(watcher: RawClient, name: string, value: string): Promise<void> {
  await subscribed(watcher, [`$SYS/broker/${name}`, "$SYS/broker/uptime"]);
  for (let seen = ""; seen !== value; ) {
    const message = await watcher.expectPacket(PacketType.publish);
    if (message.topic.endsWith(name)) seen = Buffer.from(message.payload).toString();
  }
}

test("10,000 sessions that are away get each message, which is stored once, and the memory stays flat", {
  timeout: 58_000,
}, async (context) => {
  const data = mkdtempSync(join(tmpdir(), "offline-"));
  const yaml = "sysTopicsSeconds: 1\nlogLevel: info\n";
  const serve = await ServeProcess.start({ data, yaml, args: ["--durability", "os"] });
  context.after(async () => {
    await serve.stop();
    rmSync(data, { recursive: true, force: true });
  });
  const crowd = await Crowd.open(context, serve.port, sessions, leaveBehind);
  assert.ok(await crowd.until(({ closed }) => closed === sessions, 30_000), `${crowd.closed}`);
  const watcher = await connected(serve.port, "watcher");
  await waitForFigure(watcher, "clients/disconnected", `${sessions}`);
  const before = { memory: residentBytes(serve.running.child.pid), disk: bytesOf(data) };
  const publisher = await connected(serve.port, "publisher");
  for (let count = 0; count < messages; count++) {
    publisher.send(publish("news", `${count}`.padEnd(payloadBytes), { qos: 1 }));
    await publisher.expectPacket(PacketType.puback);
  }
  const grown = (residentBytes(serve.running.child.pid) - before.memory) / megabyte;
  const written = (bytesOf(data) - before.disk) / megabyte;
  context.diagnostic(`${grown.toFixed(0)} MB of memory, ${written.toFixed(0)} MB on disk`);
  // Copies for each session would be 3 GB.
  assert.ok(grown < 150, `${grown} MB of memory`);
  assert.ok(written < 300, `${written} MB on disk`);
  const retained = (await retainedCount(serve.port)) + sessions * messages;
  await waitForFigure(await connected(serve.port, "watcher-2"), "messages/stored", `${retained}`);
  const one = await connected(serve.port, "away-4711", persistent);
  for (let count = 0; count < messages; count++) {
    const message = await one.expectPacket(PacketType.publish);
    assert.equal(Buffer.from(message.payload).toString().trim(), `${count}`);
    one.send(puback(message.packetIdentifier ?? 0));
  }
  const left = retained - messages;
  await waitForFigure(await connected(serve.port, "watcher-3"), "messages/stored", `${left}`);
});

/** `$SYS` itself, which is all that is retained. */
async function retainedCount(port: number): Promise<number> {
  const client = await connected(port, "counter");
  await sleep(1100);
  await subscribed(client, "$SYS/broker/retained messages/count");
  const { payload } = await client.expectPacket(PacketType.publish);
  client.destroy();
  return Number(Buffer.from(payload).toString());
}
