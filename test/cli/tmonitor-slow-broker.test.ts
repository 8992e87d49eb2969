/** tmonitor and a broker that does not acknowledge: nothing piles up, and all goes on once it does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startMonitor } from "./monitor-world.ts";
import { connack, packetType, ScriptedBroker } from "./scripted-broker.ts";

const pingresp = [0xd0, 0];

/** Of a PUBLISH with QoS 1. */
function readPublish(body: Buffer): { topic: string; puback: readonly number[] } {
  const end = 2 + body.readUInt16BE(0);
  return { topic: body.toString("utf8", 2, end), puback: [0x40, 2, body[end], body[end + 1]] };
}

async function until(reached: () => boolean): Promise<void> {
  for (let attempt = 0; !reached(); attempt += 1) {
    assert.ok(attempt < 2000, "waited too long");
    await sleep(10);
  }
}

function countPublished(broker: ScriptedBroker, topic: string, connection: number): number {
  return broker.received.filter(
    (packet) =>
      packet.type === packetType.publish &&
      packet.connection === connection &&
      readPublish(packet.body).topic === topic,
  ).length;
}

test("while figures are not acknowledged no more are sent, and none wait for the next connection", async (context) => {
  const broker = await ScriptedBroker.start(({ type, body, connection }) => {
    if (type === packetType.connect) return connack;
    if (type === packetType.pingreq) {
      const pings = broker.received.filter((packet) => packet.type === packetType.pingreq).length;
      return connection === 1 && pings >= 4 ? "close" : pingresp;
    }
    if (type !== packetType.publish) return undefined;
    const { topic, puback } = readPublish(body);
    return connection > 1 || topic.endsWith("/status") ? puback : undefined;
  });
  context.after(() => broker.stop());
  // With a keep alive of a second there are four pings in four intervals at least.
  const args = ["--name", "slow", "--interval", "1", "-q", "1", "-k", "1"];
  const monitor = startMonitor(broker.port, args);
  context.after(() => monitor.child.kill("SIGKILL"));
  await until(() => broker.connections > 1);
  assert.equal(countPublished(broker, "slow/cpu/load1", 1), 1);
  // Those of the first connection go again, once, and then new ones.
  await until(() => countPublished(broker, "slow/cpu/load1", 2) >= 3);
  monitor.child.kill("SIGTERM");
  assert.equal((await monitor.ended).code, 0);
  assert.equal(countPublished(broker, "slow/status", 2), 2);
});
