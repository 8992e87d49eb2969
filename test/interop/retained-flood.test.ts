/** 5,000 retained messages for those who come late: each exactly once, at each QoS, also to who reads slowly. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { MqttClient } from "mqtt";
import { withoutMosquittoClients as skip } from "../cli/tserve-process.ts";
import { type BrokerProcess, type Version, versions, withBroker } from "./broker-process.ts";
import { countTo } from "./inbox.ts";
import { debugLog, expectContent, linesOf, subscribe } from "./mosquitto-programs.ts";

const count = 5000;
const everyQoS = [0, 1, 2] as const;
const topics = countTo(count, "flood/").map((topic, index) => `${topic}/${index % 7}`);

/** MQTT.js does not count what a 5.0 broker's Receive Maximum (here 1,024) allows to be under way. */
const atOnce = 500;

/** Each with its topic in front, and `bytes` long. */
async function publishAll(client: MqttClient, bytes: number, qos: 0 | 1 | 2): Promise<void> {
  for (let from = 0; from < count; from += atOnce) {
    const sent = topics
      .slice(from, from + atOnce)
      .map((topic) => client.publishAsync(topic, topic.padEnd(bytes, "."), { qos, retain: true }));
    await Promise.all(sent);
  }
}

for (const version of versions) {
  test(`${count} retained messages come once to a late MQTT.js ${version.name}`, () =>
    withBroker((broker) => floodMqttJs(broker, version)));
}

async function floodMqttJs(broker: BrokerProcess, version: Version): Promise<void> {
  const publisher = await broker.connect(version.options);
  await publishAll(publisher.client, 30, 2);
  for (const qos of everyQoS) {
    const late = await broker.connect(version.options);
    await late.client.subscribeAsync("flood/#", { qos });
    await late.inbox.waitFor(count);
    await publisher.client.publishAsync("flood/end", "end", { qos: 2 });
    const messages = await late.inbox.takeUntil("end");
    assert.deepEqual(messages.map(({ topic }) => topic).sort(), [...topics, "flood/end"].sort());
    for (const { topic, payload, packet } of messages.slice(0, -1)) {
      assert.equal(payload.toString().replaceAll(".", ""), topic);
      assert.equal(packet.retain, true);
      assert.equal(packet.qos, qos);
    }
    await late.client.endAsync();
  }
}

for (const qos of everyQoS) {
  test(
    `15 MB of retained messages at QoS ${qos} come once to who stops reading meanwhile`,
    {
      skip,
    },
    () =>
      withBroker(async (broker) => {
        const publisher = await broker.connect();
        await publishAll(publisher.client, 3000, 1);
        const names = versions.map((_, index) => `slow${index}`);
        const readers = await Promise.all(
          ["31", "311", "5"].map(async (version, index) => {
            const options = `-V ${version} -q ${qos} -t flood/# -C ${count + 1} -F %r,%t,%l`;
            const reader = await subscribe(broker, names[index], options);
            // It is stopped again and again, longer than the kernel's buffers last.
            for (let round = 0; round < 5; round++) {
              reader.child.kill("SIGSTOP");
              await sleep(150);
              reader.child.kill("SIGCONT");
              await sleep(20);
            }
            return reader;
          }),
        );
        // Others are served meanwhile.
        const other = await broker.connect();
        await other.client.subscribeAsync("other", { qos: 1 });
        await publisher.client.publishAsync("other", "not held up", { qos: 1 });
        await other.inbox.takeUntil("not held up");
        const expected = topics.map((topic) => `1,${topic},3000`).sort();
        for (const reader of readers) {
          const seen = () => reader.bytes.toString().split("\n").length - 1;
          for (let tries = 0; seen() < count && tries < 500; tries++) await sleep(20);
        }
        await publisher.client.publishAsync("flood/end", "end", { qos: 1 });
        for (const reader of readers) {
          const lines = linesOf(await expectContent(reader));
          assert.equal(lines.at(-1), "0,flood/end,3");
          assert.deepEqual(lines.slice(0, -1).sort(), expected);
        }
      }, debugLog),
  );
}

test("a slow reader gets each retained message once while others of the same topics change", () =>
  withBroker(async (broker) => {
    const publisher = await broker.connect();
    await publishAll(publisher.client, 1000, 1);
    const slow = await broker.connect({ protocolVersion: 5, properties: { receiveMaximum: 10 } });
    // Each message takes a while.
    slow.client.handleMessage = (_, done) => {
      setImmediate(done);
    };
    await slow.client.subscribeAsync("flood/#", { qos: 1, rap: false });
    const changed = topics.slice(-500);
    await Promise.all(
      changed.map((topic) =>
        publisher.client.publishAsync(topic, "changed", { qos: 1, retain: true }),
      ),
    );
    await publisher.client.publishAsync("flood/end", "end", { qos: 1 });
    await slow.inbox.waitFor(count + changed.length + 1);
    await sleep(100);
    const messages = slow.inbox.messages;
    const live = messages.filter(({ packet }) => packet.retain === false);
    assert.deepEqual(
      live.map(({ topic }) => topic),
      [...changed, "flood/end"],
    );
    const retained = messages.filter(({ packet }) => packet.retain);
    assert.deepEqual(retained.map(({ topic }) => topic).sort(), topics.toSorted());
    // Whatever came first, the last word on a topic is the newer one.
    const last = new Map(messages.map(({ topic, payload }) => [topic, payload.toString()]));
    for (const topic of changed) assert.equal(last.get(topic), "changed");
  }));
