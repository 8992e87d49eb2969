/** `$SYS`: mosquitto's names, its weights, and only what has changed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemoryClient } from "./memory-client.ts";
import { TestBroker } from "./test-broker.ts";

/** Those of mosquitto 2.0's man page that dashboards read. */
const mosquittoNames = [
  "version",
  "uptime",
  "clients/connected",
  "clients/disconnected",
  "clients/expired",
  "clients/maximum",
  "clients/total",
  "messages/received",
  "messages/sent",
  "messages/stored",
  "store/messages/count",
  "store/messages/bytes",
  "publish/messages/received",
  "publish/messages/sent",
  "publish/messages/dropped",
  "publish/bytes/received",
  "publish/bytes/sent",
  "bytes/received",
  "bytes/sent",
  "retained messages/count",
  "subscriptions/count",
  "shared_subscriptions/count",
  ...["messages/received", "messages/sent", "publish/received", "publish/sent", "publish/dropped"]
    .concat("bytes/received", "bytes/sent", "sockets", "connections")
    .flatMap((load) => [1, 5, 15].map((span) => `load/${load}/${span}min`)),
];

/** The last value of each topic that came, without `$SYS/broker/`. */
function values(client: MemoryClient): Map<string, string> {
  return new Map(
    client.publishes.map(({ topic, payload }) => [
      topic.replace("$SYS/broker/", ""),
      Buffer.from(payload).toString(),
    ]),
  );
}

test("every name is there from the start, retained, for the first who asks", async () => {
  const broker = new TestBroker({ sysTopicsSeconds: 10 });
  const client = await broker.connect("client");
  client.subscribe("$SYS/#");
  await broker.settle();
  assert.ok(client.publishes.every(({ retain, qos }) => retain && qos === 0));
  const seen = values(client);
  assert.deepEqual(
    mosquittoNames.filter((name) => !seen.has(name)),
    [],
  );
  assert.equal(seen.get("version"), "tStack test");
  broker.expectErrors(0);
});

test("figures follow what happens, once in each round, and what did not change is not sent again", async () => {
  const broker = new TestBroker({ sysTopicsSeconds: 10 });
  const client = await broker.connect("client");
  client.subscribe("$SYS/broker/clients/+");
  client.subscribe("$SYS/broker/uptime");
  await broker.settle();
  client.packets.length = 0;
  const guest = await broker.connect("guest");
  broker.clock.advanceSeconds(10);
  await broker.settle();
  assert.deepEqual(Object.fromEntries(values(client)), {
    uptime: "10 seconds",
    "clients/total": "2",
    "clients/connected": "2",
    "clients/active": "2",
    "clients/maximum": "2",
  });
  assert.ok(client.publishes.every(({ retain }) => !retain));
  client.packets.length = 0;
  guest.lose();
  broker.clock.advanceSeconds(9);
  await broker.settle();
  assert.equal(client.publishes.length, 0);
  broker.clock.advanceSeconds(1);
  await broker.settle();
  assert.equal(values(client).get("clients/connected"), "1");
  assert.equal(values(client).has("clients/maximum"), false);
});

test("what waits for a shared subscription is stored like what waits for a session", async () => {
  const broker = new TestBroker({ sysTopicsSeconds: 10 });
  const reader = await broker.connect("reader");
  reader.subscribe("$SYS/broker/#");
  const member = await broker.connect("member", { properties: { sessionExpiryInterval: 100 } });
  member.subscribe("$share/group/t", 1);
  await broker.settle();
  member.lose();
  // One round in which nothing waits, with all names there are.
  broker.clock.advanceSeconds(10);
  await broker.settle();
  const before = values(reader);
  for (let count = 0; count < 3; count++) broker.publish("t", "xyz", 1);
  await broker.settle();
  broker.clock.advanceSeconds(10);
  await broker.settle();
  const after = values(reader);
  const grown = (name: string) => Number(after.get(name)) - Number(before.get(name));
  assert.equal(grown("messages/stored"), 3);
  assert.equal(grown("store/messages/count"), 3);
  assert.ok(grown("store/messages/bytes") >= 3 * 4);
  broker.expectErrors(0);
});

test("loads are weighted as mosquitto weighs them", async () => {
  const seconds = 10;
  const broker = new TestBroker({ sysTopicsSeconds: seconds });
  const client = await broker.connect("client");
  client.subscribe("$SYS/broker/load/publish/received/+");
  const publisher = await broker.connect("publisher");
  const current = new Map([1, 5, 15].map((span) => [span, 0]));
  for (const count of [30, 0, 7, 100, 0, 0, 1]) {
    for (let sent = 0; sent < count; sent++) publisher.publish("t", "x", { qos: 1 });
    await broker.settle();
    broker.clock.advanceSeconds(seconds);
    await broker.settle();
    // sys_tree.c: calc_load(), with i_mult = 60 / dt and exponent = exp(-dt / span)
    const interval = count * (60 / seconds);
    for (const [span, before] of current) {
      const exponent = Math.exp((-1 * seconds) / (60 * span));
      current.set(span, interval + exponent * (before - interval));
    }
    const seen = values(client);
    for (const [span, value] of current) {
      assert.equal(
        seen.get(`load/publish/received/${span}min`),
        value.toFixed(2),
        `after ${count}`,
      );
    }
  }
});

test("with 0 seconds there are none, and after close none follow", async () => {
  assert.equal(new TestBroker().core.retained.size, 0);
  const broker = new TestBroker({ sysTopicsSeconds: 1 });
  const seen: string[] = [];
  broker.core.subscribe("$SYS/#", ({ topic }) => seen.push(topic));
  await broker.core.close();
  seen.length = 0;
  broker.clock.advanceSeconds(100);
  assert.deepEqual(seen, []);
});

test("the figures are published also where clients may use fewer levels than they have", async () => {
  const broker = new TestBroker({ sysTopicsSeconds: 10, limits: { topicLevelsMax: 1 } });
  const client = await broker.connect("client");
  client.subscribe("#");
  await broker.settle();
  assert.ok(broker.core.retained.size >= mosquittoNames.length, `${broker.core.retained.size}`);
  broker.expectErrors(0);
});
