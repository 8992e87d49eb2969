/** What only MQTT 5.0 has, as MQTT.js sees it: properties both ways, reason codes, aliases, options of a subscription. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { IClientOptions, IPublishPacket } from "mqtt";
import { type BrokerProcess, type Client, cut, withBroker } from "./broker-process.ts";
import { countTo, waitUntil } from "./inbox.ts";

function connect(broker: BrokerProcess, options: IClientOptions = {}): Promise<Client> {
  return broker.connect({ protocolVersion: 5, ...options });
}

const sentProperties = {
  payloadFormatIndicator: true,
  contentType: "application/json; charset=utf-8",
  responseTopic: "answers/here",
  correlationData: Buffer.from([0, 1, 2, 254, 255]),
  userProperties: { room: ["kitchen", "cellar"], größe: "ünï", empty: "" },
};

function assertUntouched({ properties }: IPublishPacket): void {
  // MQTT.js makes its user properties without a prototype.
  const userProperties = { ...properties?.userProperties };
  assert.deepEqual({ ...properties, userProperties }, sentProperties);
}

test("MQTT.js 5: a message's properties pass untouched, live, queued, retained and as a will", () =>
  withBroker(async (broker) => {
    const publisher = await connect(broker);
    const options = {
      clientId: "reader",
      clean: false,
      properties: { sessionExpiryInterval: 100 },
    };
    const first = await connect(broker, options);
    await first.client.subscribeAsync("p/#", { qos: 2 });
    for (const qos of [0, 1, 2] as const) {
      const message = { qos, retain: true, properties: sentProperties };
      await publisher.client.publishAsync(`p/${qos}`, "{}", message);
    }
    const live = await first.inbox.waitFor(3);
    for (const { packet } of live) assertUntouched(packet); // [MQTT-3.3.2-15]
    await first.client.endAsync();
    const lost = await connect(broker, {
      will: {
        topic: "p/will",
        payload: Buffer.from("gone"),
        qos: 1,
        retain: true,
        properties: sentProperties,
      },
    });
    await cut(lost.client);
    const queued = await connect(broker, options);
    const [will] = (await queued.inbox.takeUntil("gone")).slice(-1);
    assertUntouched(will.packet);
    const late = await connect(broker);
    await late.client.subscribeAsync("p/#", { qos: 2 });
    const retained = await late.inbox.waitFor(4);
    for (const { packet } of retained) {
      assertUntouched(packet);
      assert.equal(packet.retain, true);
    }
  }));

test("MQTT.js 5: CONNACK tells the broker's limits, and an identifier where there is none", () =>
  withBroker(async (broker) => {
    const { connack } = await connect(broker, {
      clientId: "",
      properties: { requestResponseInformation: true, sessionExpiryInterval: 4_000_000_000 },
    });
    const told = connack.properties ?? {};
    assert.ok((told.assignedClientIdentifier ?? "").length > 8); // [MQTT-3.2.2-16]
    assert.equal(told.receiveMaximum, 10);
    assert.equal(told.maximumPacketSize, 2000);
    assert.equal(told.topicAliasMaximum, 3);
    assert.equal(told.sessionExpiryInterval, 7_776_000); // sessionExpirySecondsMax
    assert.notEqual(told.retainAvailable, false);
    assert.notEqual(told.sharedSubscriptionAvailable, false);
  }, "limits: { receiveMaximum: 10, packetBytesMax: 2000, topicAliasMax: 3 }"));

test("MQTT.js 5: reason codes", () =>
  withBroker(async (broker) => {
    const { client, inbox } = await connect(broker, { clientId: "codes" });
    const acknowledged: [string, number | undefined][] = [];
    client.on("packetreceive", (packet) => {
      if (packet.cmd === "puback" || packet.cmd === "pubrec")
        acknowledged.push([packet.cmd, (packet as { reasonCode?: number }).reasonCode]);
    });
    await client.publishAsync("nobody", "x", { qos: 1 });
    await client.publishAsync("nobody", "x", { qos: 2 });
    const suback = await new Promise<readonly number[]>((resolve) => {
      client.once("packetreceive", (packet) => {
        if (packet.cmd === "suback") resolve(packet.granted as number[]);
      });
      client.subscribe({ codes: { qos: 2 }, "secret/#": { qos: 0 } }, () => undefined);
    });
    assert.deepEqual(suback, [2, 0x87]); // [MQTT-3.9.3-1]
    await client.publishAsync("codes", "x", { qos: 1 });
    await client.publishAsync("codes", "x", { qos: 2 });
    assert.equal((await inbox.waitFor(2)).length, 2);
    assert.deepEqual(acknowledged, [
      ["puback", 0x10],
      ["pubrec", 0x10],
      ["puback", 0],
      ["pubrec", 0],
    ]);
    await assert.rejects(client.publishAsync("secret/x", "x", { qos: 1 }), { code: 0x87 });
    await assert.rejects(client.publishAsync("secret/x", "x", { qos: 2 }), { code: 0x87 });
    const granted = (await client.unsubscribeAsync(["codes", "never"])) as { granted?: number[] };
    assert.deepEqual(granted.granted, [0, 0x11]); // [MQTT-3.11.3-2]
    // Too large for this broker: it says so and ends the connection.
    const told = new Promise<number | undefined>((resolve) => {
      client.once("disconnect", (packet) => resolve(packet.reasonCode));
    });
    client.publish("codes", Buffer.alloc(3000), { qos: 0 });
    assert.equal(await told, 0x95); // [MQTT-3.2.2-15]
  }, "anonymous: { rights: [{ deny: both, filter: secret/# }, '#'] }\nallowAnonymous: true\nlimits: { packetBytesMax: 2000 }"));

test("MQTT.js 5: topic aliases both ways, with more topics than aliases", () =>
  withBroker(async (broker) => {
    const publisher = await connect(broker, { autoAssignTopicAlias: true });
    const reader = await connect(broker, { properties: { topicAliasMaximum: 5 } });
    const plain = await connect(broker);
    await reader.client.subscribeAsync("alias/#", { qos: 1 });
    await plain.client.subscribeAsync("alias/#", { qos: 1 });
    let withoutTopic = 0;
    reader.client.on("packetreceive", (packet) => {
      if (packet.cmd === "publish" && packet.topic.length === 0) withoutTopic++;
    });
    const topics = countTo(20, "alias/");
    const sent: Promise<unknown>[] = [];
    for (let round = 0; round < 10; round++) {
      for (const topic of topics) {
        sent.push(publisher.client.publishAsync(topic, topic, { qos: round % 2 === 0 ? 0 : 1 }));
      }
    }
    await Promise.all(sent);
    for (const { inbox } of [reader, plain]) {
      const messages = await inbox.waitFor(200);
      assert.equal(messages.length, 200);
      for (const { topic, payload } of messages) assert.equal(topic, payload.toString());
    }
    assert.ok(withoutTopic >= 5 * 9); // the broker used the aliases that it was given
  }));

test("MQTT.js 5: no local, retain as published, retain handling, subscription identifiers", () =>
  withBroker(async (broker) => {
    const { client, inbox } = await connect(broker);
    const other = await connect(broker);
    await client.subscribeAsync("opt/local", { qos: 1, nl: true });
    await client.publishAsync("opt/local", "own", { qos: 1 });
    await other.client.publishAsync("opt/local", "other", { qos: 1 });
    assert.equal((await inbox.takeUntil("other")).length, 1); // [MQTT-3.8.3-3]
    await client.subscribeAsync("opt/kept", { qos: 1, rap: true });
    await other.client.publishAsync("opt/kept", "kept", { qos: 1, retain: true });
    const [kept] = await inbox.takeUntil("kept");
    assert.equal(kept.packet.retain, true); // [MQTT-3.3.1-13]
    // Retain handling 1: only where the subscription is new; 2: never. Here it is known, then new.
    await client.subscribeAsync({ "opt/kept": { qos: 2, rh: 1 } });
    await client.subscribeAsync({ "opt/+": { qos: 1, rh: 2 } });
    await other.client.publishAsync("opt/local", "end", { qos: 1 });
    assert.equal((await inbox.takeUntil("end")).length, 1); // overlapping: one copy
    await client.unsubscribeAsync("opt/+");
    await client.unsubscribeAsync("opt/local");
    await client.subscribeAsync({ "opt/+": { qos: 1, rh: 1 } });
    await inbox.takeUntil("kept"); // [MQTT-3.3.1-10]
    await client.subscribeAsync("id/+", { qos: 1, properties: { subscriptionIdentifier: 7 } });
    await client.subscribeAsync("id/#", {
      qos: 2,
      properties: { subscriptionIdentifier: 268_435_455 },
    });
    await other.client.publishAsync("id/x", "both", { qos: 2 });
    const [both] = await inbox.takeUntil("both");
    assert.equal(both.packet.qos, 2);
    const { subscriptionIdentifier } = both.packet.properties ?? {};
    const identifiers = [subscriptionIdentifier ?? []].flat().sort((a, b) => a - b);
    assert.deepEqual(identifiers, [7, 268_435_455]); // [MQTT-3.3.4-3], [MQTT-3.3.4-4]
  }));

test("MQTT.js 5: a shared subscription divides, and what a lost member did not acknowledge goes on", () =>
  withBroker(async (broker) => {
    const publisher = await connect(broker);
    const members = await Promise.all([1, 2, 3].map(() => connect(broker)));
    for (const { client } of members) await client.subscribeAsync("$share/g/jobs/#", { qos: 1 });
    const [stuck, ...others] = members;
    // It takes messages and acknowledges none.
    stuck.client.handleMessage = () => undefined;
    const all = Promise.all(
      countTo(300).map((text) => publisher.client.publishAsync("jobs/x", text, { qos: 1 })),
    );
    await all;
    await sleep(100);
    await cut(stuck.client);
    const texts = (): string[] => others.flatMap(({ inbox }) => inbox.texts);
    await waitUntil(
      () => texts().length >= 300,
      () => `300 messages, not ${texts().length}`,
    );
    assert.deepEqual(
      texts().sort((a, b) => Number(a) - Number(b)),
      countTo(300),
    );
    for (const { inbox } of others) assert.ok(inbox.texts.length >= 60, `${inbox.texts.length}`);
  }));

test("MQTT.js 5: expiry counts down, a delayed will waits, a Maximum Packet Size leaves out", () =>
  withBroker(async (broker) => {
    const publisher = await connect(broker);
    const away = {
      clientId: "away",
      clean: false,
      properties: { sessionExpiryInterval: 100, maximumPacketSize: 100, receiveMaximum: 1 },
    };
    const first = await connect(broker, away);
    await first.client.subscribeAsync("e/#", { qos: 2 });
    await first.client.endAsync();
    const expiring = (seconds: number) => ({
      qos: 1 as const,
      properties: { messageExpiryInterval: seconds },
    });
    await publisher.client.publishAsync("e/short", "short", expiring(1));
    await publisher.client.publishAsync("e/long", "long", expiring(60));
    await publisher.client.publishAsync("e/large", Buffer.alloc(200), { qos: 2 });
    const lost = await connect(broker, {
      properties: { sessionExpiryInterval: 50 },
      will: {
        topic: "e/will",
        payload: Buffer.from("will"),
        qos: 1,
        retain: false,
        properties: { willDelayInterval: 1 },
      },
    });
    const cutAt = performance.now();
    await cut(lost.client);
    await sleep(1500);
    const second = await connect(broker, away);
    assert.equal(second.connack.sessionPresent, true);
    const messages = await second.inbox.takeUntil("will");
    assert.ok(performance.now() - cutAt >= 1000);
    assert.deepEqual(
      messages.map(({ payload }) => payload.toString()),
      ["long", "will"],
    );
    const left = messages[0].packet.properties?.messageExpiryInterval ?? 0;
    assert.ok(left >= 55 && left < 60, `${left} s left`); // [MQTT-3.3.2-6]
  }));
