/** MQTT.js in its three versions over every kind of listener: messages, retained messages, wills and sessions. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { IClientOptions } from "mqtt";
import {
  type Client,
  cut,
  persistent,
  transports,
  type Version,
  versions,
  withBroker,
} from "./broker-process.ts";
import { countTo } from "./inbox.ts";

type QoS = 0 | 1 | 2;
type Connect = (options?: IClientOptions) => Promise<Client>;
type Scenario = (connect: Connect, version: Version) => Promise<void>;

const everyQoS: readonly QoS[] = [0, 1, 2];

const scenarios: Readonly<Record<string, Scenario>> = {
  "every QoS comes once, whole and in order": exchange,
  "topics and payloads of any bytes pass untouched": passBytes,
  "retained messages are for those who come later": retain,
  "a will is published when the connection is lost, and only then": leaveWill,
  "a session waits for its client": keepSession,
  "a second client with the same identifier takes over": takeOver,
};

for (const version of versions) {
  for (const transport of transports) {
    test(`3.1.1 [MQTT-7.0.0-2] without any extension: MQTT.js ${version.name} over ${transport}`, async (context) => {
      await withBroker(async (broker) => {
        const connect: Connect = (options = {}) =>
          broker.connect({ ...version.options, ...options }, transport);
        for (const [name, scenario] of Object.entries(scenarios)) {
          await context.test(name, () => scenario(connect, version));
        }
      });
    });
  }
}

async function exchange(connect: Connect): Promise<void> {
  const publisher = await connect();
  for (const granted of everyQoS) {
    const subscriber = await connect();
    const grants = await subscriber.client.subscribeAsync("exchange/#", { qos: granted });
    assert.equal(grants[0].qos, granted);
    const sent: Promise<unknown>[] = [];
    for (const text of countTo(200)) {
      for (const qos of everyQoS) {
        sent.push(publisher.client.publishAsync(`exchange/${qos}`, text, { qos }));
      }
    }
    await Promise.all(sent);
    await publisher.client.publishAsync("exchange/1", "end", { qos: 1 });
    await publisher.client.publishAsync("exchange/2", "end", { qos: 2 });
    const messages = await subscriber.inbox.waitFor(602);
    assert.equal(messages.length, 602);
    for (const qos of everyQoS) {
      const ofTopic = messages.filter(({ topic }) => topic === `exchange/${qos}`);
      const texts = ofTopic.map(({ payload }) => payload.toString());
      assert.deepEqual(texts, qos === 0 ? countTo(200) : [...countTo(200), "end"]); // [MQTT-4.6.0-6]
      for (const { packet } of ofTopic) {
        assert.equal(packet.qos, Math.min(qos, granted)); // [MQTT-3.8.4-8]
        assert.equal(packet.retain, false);
        assert.equal(packet.dup, false); // [MQTT-3.3.1-1]
      }
    }
    await subscriber.client.endAsync();
  }
}

async function passBytes(connect: Connect): Promise<void> {
  const { client, inbox } = await connect();
  const topics = ["bytes/küche/☕/温度", "bytes//empty//levels/", "/bytes", "bytes/ with blanks "];
  await client.subscribeAsync(["bytes/#", "/bytes"], { qos: 2 });
  const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  // Where the remaining length grows by a byte, and where bytes are no longer copied.
  const sizes = [0, 1, 90, 127, 128, 16_383, 16_384, 65_536, 200_000];
  const sent = topics.flatMap((topic) =>
    sizes.map((size) => ({ topic, payload: Buffer.alloc(size, every) })),
  );
  for (const [index, { topic, payload }] of sent.entries()) {
    await client.publishAsync(topic, payload, { qos: everyQoS[index % 3] });
  }
  const messages = await inbox.waitFor(sent.length);
  // QoS 0 may overtake QoS 2: the standard orders each for itself.
  for (const qos of everyQoS) {
    const expected = sent.filter((_, index) => index % 3 === qos);
    const received = messages.filter(({ packet }) => packet.qos === qos);
    assert.deepEqual(
      received.map(({ topic, payload }) => ({ topic, payload: Buffer.from(payload) })),
      expected,
    );
  }
}

async function retain(connect: Connect): Promise<void> {
  const early = await connect();
  await early.client.subscribeAsync("retain/#", { qos: 2 });
  for (const qos of everyQoS) {
    await early.client.publishAsync(`retain/${qos}`, "old", { qos, retain: true });
    await early.client.publishAsync(`retain/${qos}`, "new", { qos, retain: true });
  }
  await early.client.publishAsync("retain/not", "passes by", { qos: 1 });
  const live = await early.inbox.waitFor(7);
  assert.ok(live.every(({ packet }) => packet.retain === false)); // [MQTT-3.3.1-9] of 3.1.1
  const late = await connect();
  await late.client.subscribeAsync("retain/+", { qos: 2 });
  await late.inbox.waitFor(3);
  await early.client.publishAsync("retain/0", "live", { qos: 1 });
  const messages = await late.inbox.takeUntil("live");
  assert.deepEqual(
    messages
      .slice(0, -1)
      .map(({ topic, payload, packet }) => [topic, payload.toString(), packet.qos, packet.retain])
      .sort(),
    everyQoS.map((qos) => [`retain/${qos}`, "new", qos, true]), // [MQTT-3.3.1-8]
  );
  assert.equal(messages.at(-1)?.packet.retain, false);
  // A zero-byte payload deletes [MQTT-3.3.1-6], and is itself not kept [MQTT-3.3.1-7].
  for (const qos of everyQoS)
    await early.client.publishAsync(`retain/${qos}`, "", { qos, retain: true });
  const last = await connect();
  await last.client.subscribeAsync("retain/#", { qos: 2 });
  await early.client.publishAsync("retain/end", "end", { qos: 2 });
  assert.equal((await last.inbox.takeUntil("end")).length, 1);
}

async function leaveWill(connect: Connect): Promise<void> {
  const watcher = await connect();
  await watcher.client.subscribeAsync("will/#", { qos: 2 });
  for (const qos of everyQoS) {
    const will = { topic: `will/${qos}`, payload: Buffer.from("gone"), qos, retain: true };
    const lost = await connect({ will });
    await cut(lost.client);
    const [message] = (await watcher.inbox.takeUntil("gone")).slice(-1);
    assert.deepEqual([message.topic, message.packet.qos], [`will/${qos}`, qos]);
    const late = await connect();
    await late.client.subscribeAsync(`will/${qos}`, { qos: 2 });
    const [kept] = await late.inbox.waitFor(1);
    assert.deepEqual([kept.payload.toString(), kept.packet.retain], ["gone", true]); // [MQTT-3.1.2-15]
  }
  const polite = await connect({
    will: { topic: "will/polite", payload: Buffer.from("gone"), qos: 1, retain: false },
  });
  await polite.client.endAsync();
  await watcher.client.publishAsync("will/end", "end", { qos: 1 });
  assert.equal((await watcher.inbox.takeUntil("end")).length, 1); // [MQTT-3.1.2-8]
}

async function keepSession(connect: Connect, version: Version): Promise<void> {
  const publisher = await connect();
  const options = persistent(version, `session-${version.name}`);
  const first = await connect(options);
  assert.equal(first.connack.sessionPresent, false);
  await first.client.subscribeAsync({ "session/#": { qos: 2 } });
  await first.client.endAsync();
  for (const text of countTo(500)) {
    publisher.client.publish("session/1", text, { qos: 1 });
    publisher.client.publish("session/2", text, { qos: 2 });
    publisher.client.publish("session/0", text);
  }
  await publisher.client.publishAsync("session/2", "end", { qos: 2 });
  const second = await connect(options);
  assert.equal(second.connack.sessionPresent, tellsSessions(version)); // [MQTT-3.2.2-2]
  const messages = await second.inbox.takeUntil("end");
  for (const qos of [1, 2]) {
    const ofTopic = messages.filter(({ topic }) => topic === `session/${qos}`);
    const texts = ofTopic.map(({ payload }) => payload.toString());
    assert.deepEqual(texts, qos === 1 ? countTo(500) : [...countTo(500), "end"]);
    assert.ok(ofTopic.every(({ packet }) => packet.qos === qos && !packet.dup));
  }
  await second.client.endAsync();
  const clean = await connect({ ...options, clean: true });
  assert.equal(clean.connack.sessionPresent, false); // [MQTT-3.2.2-1]
  await publisher.client.publishAsync("session/1", "nobody", { qos: 1 });
  await clean.client.subscribeAsync("session/end");
  await publisher.client.publishAsync("session/end", "end");
  assert.equal((await clean.inbox.takeUntil("end")).length, 1);
  await clean.client.endAsync();
}

async function takeOver(connect: Connect, version: Version): Promise<void> {
  const options = persistent(version, `taken-${version.name}`);
  const will = {
    topic: "taken/will",
    payload: Buffer.from("taken"),
    qos: 1,
    retain: false,
  } as const;
  const watcher = await connect();
  await watcher.client.subscribeAsync("taken/will", { qos: 1 });
  const first = await connect({ ...options, will });
  await first.client.subscribeAsync("taken", { qos: 2 });
  const closed = new Promise<void>((resolve) => first.client.once("close", () => resolve()));
  const reasons: (number | undefined)[] = [];
  first.client.on("disconnect", (packet) => reasons.push(packet.reasonCode));
  const second = await connect(options);
  await closed; // [MQTT-3.1.4-3]
  assert.deepEqual(reasons, version.isV5 ? [0x8e] : []);
  assert.equal(second.connack.sessionPresent, tellsSessions(version));
  await watcher.inbox.takeUntil("taken"); // its connection ended without its DISCONNECT
  await watcher.client.publishAsync("taken", "for the second", { qos: 2 });
  await second.inbox.takeUntil("for the second");
  await sleep(20);
  assert.deepEqual(first.inbox.texts, []);
  await second.client.endAsync();
}

/** 3.1 has a reserved byte where the later versions say whether there was a session. */
function tellsSessions(version: Version): boolean {
  return version.name !== "3.1";
}
