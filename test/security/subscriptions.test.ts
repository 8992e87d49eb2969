/**
 * Whoever knows its rights asks for more: every filter near each right, in every version, at every QoS. What is granted is
 * what a naive model grants, and what then comes, live and retained, is what the rights allow, and all of it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PacketType, type PublishPacket, type QoS } from "../../src/codec/index.ts";
import type { RawClient } from "../conformance/harness/index.ts";
import { publish, subscribe } from "../conformance/packets.ts";
import { AttackedBroker, takeMessages, usersYaml, versions } from "./attacked-broker.ts";
import { type ModelRule, matches, mayBeGranted, mutate, readFilter } from "./filter-mutations.ts";

interface Victim {
  readonly name: string;
  readonly yaml: string;
  readonly rules: readonly ModelRule[];
}

const victims: readonly Victim[] = [
  plain("own", "devices/own/#", '["devices/%u/#"]'),
  plain("one", "a/+"),
  plain("middle", "a/+/b"),
  plain("below", "a/#"),
  plain("first", "+/b"),
  plain("exact", "a/b"),
  plain("root", "#"),
  plain("slash", "/#"),
  plain("system", "$SYS/broker/version", '[{ allow: subscribe, filter: "$SYS/broker/version" }]'),
  {
    name: "hole",
    yaml: '[{ deny: both, filter: "a/b/#" }, "a/#"]',
    rules: [
      { allow: false, filter: "a/b/#" },
      { allow: true, filter: "a/#" },
    ],
  },
  {
    name: "holes",
    yaml: '[{ deny: subscribe, filter: "+/b" }, { allow: both, filter: "a/+" }, "a/b/#"]',
    rules: [
      { allow: false, filter: "+/b" },
      { allow: true, filter: "a/+" },
      { allow: true, filter: "a/b/#" },
    ],
  },
  {
    name: "level",
    yaml: '[{ allow: both, filter: "a/b", qos: [0] }, { deny: both, filter: "a/b" }, { allow: both, filter: "a/+", qos: [1, 2] }, { allow: both, filter: "home/#", retain: true }]',
    rules: [
      { allow: true, filter: "a/b", qos: [0] },
      { allow: false, filter: "a/b" },
      { allow: true, filter: "a/+", qos: [1, 2] },
    ],
  },
];

function plain(name: string, filter: string, yaml = `["${filter}"]`): Victim {
  return { name, yaml, rules: [{ allow: true, filter }] };
}

/** Every topic of up to three words, and some of four. */
const topics = listTopics();

function listTopics(): string[] {
  const words = ["a", "b", "z", "", "devices", "own", "$x"];
  const two = words.flatMap((one) => words.map((other) => [one, other]));
  const three = two.flatMap((levels) => words.map((word) => [...levels, word]));
  const four = three
    .filter(([one, other]) => one !== "$x" && other !== "$x")
    .flatMap((levels) => ["b", "z"].map((word) => [...levels, word]));
  return [...words.map((word) => [word]), ...two, ...three, ...four]
    .map((levels) => levels.join("/"))
    .filter((topic) => topic !== "");
}

const filtersAtOnce = 100;

interface Answer {
  /** The filters that were granted. */
  readonly granted: string[];
  /** What came meanwhile: retained messages. */
  readonly messages: PublishPacket[];
}

async function ask(client: RawClient, asked: readonly string[], qos: QoS): Promise<Answer> {
  const granted: string[] = [];
  const messages: PublishPacket[] = [];
  for (let at = 0; at < asked.length; at += filtersAtOnce) {
    const some = asked.slice(at, at + filtersAtOnce);
    client.send(subscribe(some.map((filter) => ({ filter, qos }))));
    let packet = await client.expectAny();
    for (; packet.type === PacketType.publish; packet = await client.expectAny())
      messages.push(packet);
    assert.ok(packet.type === PacketType.suback, `packet ${packet.type}`);
    const { reasonCodes } = packet;
    some.forEach((filter, index) => {
      if (reasonCodes[index] < 0x80) granted.push(filter);
    });
  }
  return { granted, messages };
}

const yaml = `limits: { subscriptionsMax: 100000, queueMessagesMax: 100000 }
sysTopicsSeconds: 0
${usersYaml({
  ...Object.fromEntries(victims.map((victim) => [victim.name, victim.yaml])),
  admin: '["#", "$x/#"]',
})}`;

/** In the order of `topics`. */
function topicsOf(messages: readonly PublishPacket[], payload: string): string[] {
  const some = messages.filter((message) => Buffer.from(message.payload).toString() === payload);
  const got = new Set(some.map(({ topic }) => topic));
  return topics.filter((topic) => got.has(topic));
}

/** The topics of `granted`, as the model has them: who publishes is not asked. */
function modelDelivers(granted: readonly string[]): string[] {
  const filters = new Set(granted.map((filter) => readFilter(filter) ?? ""));
  return topics.filter((topic) => [...filters].some((filter) => matches(filter, topic)));
}

test("attack: of all filters near a right those are granted that a naive model grants, in every version and at every QoS", async (context) => {
  const broker = await AttackedBroker.start(context, { yaml });
  const count = { granted: 0, refused: 0 };
  for (const { name, rules } of victims) {
    const asked = mutate(rules[0].filter).concat(rules.length > 1 ? mutate(rules[1].filter) : []);
    const distinct = [...new Set(asked)];
    for (const [versionName, version] of versions) {
      const client = await broker.login(name, { version });
      for (const qos of version === 3 ? ([0] as const) : ([0, 1, 2] as const)) {
        const { granted } = await ask(client, distinct, qos);
        const expected = distinct.filter((filter) => {
          const plainFilter = readFilter(filter);
          return plainFilter !== undefined && mayBeGranted(plainFilter, qos, rules);
        });
        assert.deepEqual(granted, expected, `${name} in ${versionName} at QoS ${qos}`);
        count.granted += granted.length;
        count.refused += distinct.length - granted.length;
      }
      client.destroy();
    }
  }
  context.diagnostic(JSON.stringify(count));
  assert.ok(count.granted > 2000 && count.refused > 20_000, JSON.stringify(count));
});

test("attack: what comes by all granted filters together, live and retained, is what the rights allow and nothing else", async (context) => {
  const broker = await AttackedBroker.start(context, { yaml });
  const admin = await broker.login("admin", { clientIdentifier: "admin" });
  for (const topic of topics) admin.send(publish(topic, "kept", { retain: true }));
  await admin.ping();
  for (const { name, rules } of victims) {
    const asked = [...new Set(rules.flatMap(({ filter }) => mutate(filter)))];
    for (const [versionName, version] of versions) {
      if (version === 3) continue; // it differs from 3.1.1 in CONNECT alone
      const client = await broker.login(name, { version, clientIdentifier: name });
      const listening = asked.filter((filter) => !filter.startsWith("$share/"));
      const { granted, messages } = await ask(client, listening, 0);
      messages.push(...(await takeMessages(client)));
      const live = topics.filter((_, index) => index % 3 === 0 || version === 5);
      for (const topic of live) admin.send(publish(topic, "live"));
      await admin.ping();
      messages.push(...(await takeMessages(client)));
      const where = `${name} in ${versionName}`;
      for (const { topic } of messages) {
        assert.ok(mayBeGranted(topic, 0, rules), `${where} got ${topic}`);
      }
      const expected = modelDelivers(granted);
      assert.deepEqual(topicsOf(messages, "kept"), expected, where);
      const expectedLive = expected.filter((topic) => live.includes(topic));
      assert.deepEqual(topicsOf(messages, "live"), expectedLive, where);
      client.destroy();
    }
  }
});
