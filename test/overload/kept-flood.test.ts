/** Publishers faster than the disk: what is acknowledged is kept, nobody is disconnected, and the memory stays bounded. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { PacketType, type QoS } from "../../src/codec/index.ts";
import { ServeProcess } from "../cli/tserve-process.ts";
import { connectPacket, RawClient } from "../conformance/harness/index.ts";
import { puback, pubcomp, publish, pubrec, pubrel, subscribed } from "../conformance/packets.ts";
import { SoakSocket } from "./soak/soak-socket.ts";

const floodMilliseconds = 3000;
const megabyte = 1_048_576;
const away = { cleanStart: false, properties: { sessionExpiryInterval: 3600 } };
const yaml = `
limits:
  unsyncedBytesMax: 8000000
  queueMessagesMax: 100000000
  queueBytesMax: 10000000000
`;

function residentBytes(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
}

/** Sends as fast as the socket takes it, with 60,000 under way; answers how many were sent and acknowledged. */
async function flood(port: number, qos: QoS): Promise<{ sent: number; acknowledged: number }> {
  const client = new SoakSocket(port);
  await client.ask(connectPacket(5, { clientIdentifier: "flood" }));
  const counts = { sent: 0, acknowledged: 0 };
  client.onPacket = (packet) => {
    if (packet.type === PacketType.pubrec) client.send(pubrel(packet.packetIdentifier));
    if (packet.type === PacketType.puback || packet.type === PacketType.pubcomp)
      counts.acknowledged++;
  };
  const payload = "x".repeat(2000);
  const until = performance.now() + floodMilliseconds;
  while (performance.now() < until) {
    for (let count = 0; count < 100 && counts.sent - counts.acknowledged < 60_000; count++) {
      const packetIdentifier = (counts.sent++ % 60_000) + 1;
      client.send(publish("kept", payload, { qos, packetIdentifier }));
    }
    await sleep(client.socket.writableLength > megabyte ? 5 : 0);
  }
  const bound = performance.now() + 20_000;
  while (counts.acknowledged < counts.sent && performance.now() < bound) await sleep(20);
  assert.equal(client.isClosed, false, "a flood is no reason to end it");
  client.destroy();
  return counts;
}

/** The client comes back and takes what waited for it; answers how many there were. */
async function drain(port: number, expected: number): Promise<number> {
  const client = new SoakSocket(port);
  let arrived = 0;
  client.onPacket = (packet) => {
    if (packet.type === PacketType.pubrel) client.send(pubcomp(packet.packetIdentifier));
    if (packet.type !== PacketType.publish) return;
    arrived++;
    const { qos, packetIdentifier = 0 } = packet;
    client.send(qos === 1 ? puback(packetIdentifier) : pubrec(packetIdentifier));
  };
  client.send(connectPacket(5, { clientIdentifier: "away", ...away }));
  const bound = performance.now() + 20_000;
  while (arrived < expected && performance.now() < bound) await sleep(20);
  await sleep(200); // for what must not come
  client.destroy();
  return arrived;
}

for (const qos of [1, 2] as const) {
  test(`QoS ${qos} faster than the disk: all of it is acknowledged and kept, in bounded memory`, {
    timeout: 58_000,
  }, async (context) => {
    const data = mkdtempSync(join(tmpdir(), "kept-"));
    const serve = await ServeProcess.start({ data, yaml });
    context.after(async () => {
      await serve.stop();
      rmSync(data, { recursive: true, force: true });
    });
    const subscriber = await RawClient.open(`mqtt://127.0.0.1:${serve.port}`, 5);
    await subscriber.connect({ clientIdentifier: "away", ...away });
    await subscribed(subscriber, { filter: "kept", qos });
    subscriber.send("e000");
    await subscriber.expectClosed();
    const before = residentBytes(serve.running.child.pid);
    const flooding = flood(serve.port, qos);
    let peak = 0;
    const sampling = setInterval(() => {
      peak = Math.max(peak, residentBytes(serve.running.child.pid) - before);
    }, 100);
    const { sent, acknowledged } = await flooding;
    clearInterval(sampling);
    context.diagnostic(`${sent} sent, at most ${(peak / megabyte).toFixed(0)} MB more`);
    assert.ok(sent > 2000, `only ${sent} sent: that is no flood`);
    assert.equal(acknowledged, sent);
    assert.ok(peak < 200 * megabyte, `${peak / megabyte} MB`);
    assert.equal(await drain(serve.port, sent), sent);
  });
}
