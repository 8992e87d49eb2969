/** Wills, retained messages, aliases and mount points as ways around the rights. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type AdminClient, apiPath, ask } from "../../src/cli/admin-client/index.ts";
import { PacketType } from "../../src/codec/index.ts";
import type { RawClient } from "../conformance/harness/index.ts";
import { expectPublish, publish, subscribed, unsubscribe } from "../conformance/packets.ts";
import {
  AttackedBroker,
  kept,
  password,
  takeAll,
  takeMessages,
  takeTexts,
  usersYaml,
  versions,
  willOn,
} from "./attacked-broker.ts";

const adminYaml = usersYaml({ admin: '["#"]' });

async function addUser(admin: AdminClient, name: string, ...filters: string[]): Promise<void> {
  const rules = filters.map((filter) => ({ allow: "both", filter }));
  await ask(admin, "POST", "/v1/users", { name, password, rules });
}

async function revoke(admin: AdminClient, name: string, filter: string): Promise<void> {
  await ask(admin, "POST", apiPath`/v1/users/${name}/rights/revoke`, { filters: [filter] });
}

test("attack: a will reaches no topic that its client may not publish to, and none that it may no longer, with and without delay", async (context) => {
  const { broker, admin } = await AttackedBroker.startStored(context, { yaml: adminYaml });
  const witness = await broker.login("admin", { clientIdentifier: "witness" });
  await subscribed(witness, { filter: "#", qos: 1 });
  for (const [name, version] of versions) {
    const user = `mallory ${name}`;
    await addUser(admin, user, "own/#");
    for (const topic of ["other", "own/../other", "own\u0000", "Own/x", "/own/x"]) {
      if (topic.includes("\0")) continue;
      if (topic.startsWith("own/")) continue; // that is one of its own, dots are letters
      const { connack } = await broker.tryLogin(user, { version, will: willOn(topic) });
      assert.equal(connack.reasonCode, version === 5 ? 0x87 : 5, `${topic} in ${name}`);
    }
    const delayed = willOn("own/w", { properties: version === 5 ? { willDelayInterval: 1 } : {} });
    const login = { version, clientIdentifier: user, ...kept(version) };
    const standing = await broker.login(user, { ...login, will: willOn("own/w") });
    if (version === 5) {
      const second = { ...login, clientIdentifier: "gone", will: delayed };
      (await broker.login(user, second)).destroy();
      await broker.process.logged(/gone/);
    }
    await revoke(admin, user, "own/#");
    await standing.expectDisconnected(0x87);
  }
  await sleep(1500); // longer than the delay
  assert.deepEqual(await takeTexts(witness), []);
});

test("attack: a will that was allowed goes out when its user is disabled or removed, once, and nothing of that user after it", async (context) => {
  const { broker, admin } = await AttackedBroker.startStored(context, { yaml: adminYaml });
  const witness = await broker.login("admin", { clientIdentifier: "witness" });
  await subscribed(witness, { filter: "#", qos: 0 });
  for (const [how, cutOff] of [
    ["disabled", () => ask(admin, "PUT", "/v1/users/disabled/enabled", { isEnabled: false })],
    ["removed", () => ask(admin, "DELETE", "/v1/users/removed")],
  ] as const) {
    await addUser(admin, how, "own/#");
    const client = await broker.login(how, { clientIdentifier: how, will: willOn("own/w") });
    await cutOff();
    client.send(publish("own/x", "after the end"));
    await client.expectDisconnected(0x98);
    await expectPublish(witness, { topic: "own/w" });
    const { connack } = await broker.tryLogin(how, { clientIdentifier: how });
    assert.equal(connack.reasonCode, 0x86);
    assert.deepEqual(await takeTexts(witness), [], how);
  }
});

test("attack: who may only publish learns no retained value: by retain handling, again, shared, when a right has gone, or by UNSUBSCRIBE", async (context) => {
  const { broker, admin } = await AttackedBroker.startStored(context, { yaml: adminYaml });
  const owner = await broker.login("admin", { clientIdentifier: "owner" });
  owner.send(publish("a/secret", "the value", { qos: 1, retain: true }));
  await owner.expectPacket(PacketType.puback);
  const rules = [{ allow: "publish", filter: "a/#" }];
  await ask(admin, "POST", "/v1/users", { name: "writer", password, rules });
  await addUser(admin, "former", "a/#");
  for (const [name, version] of versions) {
    const writer = await broker.login("writer", { version, clientIdentifier: "writer" });
    for (const retainHandling of [0, 1, 2] as const) {
      for (const filter of ["a/secret", "a/+", "#", "$share/g/a/secret", "$share/g/#"]) {
        const [code] = await subscribed(writer, {
          filter,
          retainHandling: version === 5 ? retainHandling : 0,
        });
        assert.ok(code >= 0x80, `${filter} in ${name}`);
      }
    }
    writer.send(unsubscribe("a/secret"));
    await writer.expectPacket(PacketType.unsuback);
    assert.deepEqual(await takeMessages(writer), [], name);
    writer.destroy();
  }
  const login = { clientIdentifier: "former", ...kept(5) };
  const former = await broker.login("former", login);
  await subscribed(former, { filter: "a/+", retainHandling: 2 });
  await revoke(admin, "former", "a/#");
  await former.expectDisconnected(0x87);
  const back = await broker.login("former", login);
  const codes = await subscribed(back, [{ filter: "a/+", retainHandling: 1 }, "a/secret"]);
  assert.deepEqual(codes, [0x87, 0x87]);
  assert.deepEqual(await takeMessages(back), []);
});

test("attack: a refused PUBLISH is answered alike whether anybody listens or anything is retained there; who may publish learns whether somebody listens", async (context) => {
  const users = { admin: '["#"]', ada: '["open/#"]' };
  const broker = await AttackedBroker.start(context, { yaml: usersYaml(users) });
  const admin = await broker.login("admin", { clientIdentifier: "admin" });
  admin.send(
    publish("secret/kept", "x", { retain: true }),
    publish("open/kept", "x", { retain: true }),
  );
  await subscribed(admin, [{ filter: "secret/heard", noLocal: true }, "open/heard"]);
  const ada = await broker.login("ada", { clientIdentifier: "ada" });
  const ask = async (topic: string, qos: 1 | 2): Promise<number> => {
    ada.send(publish(topic, "x", { qos, packetIdentifier: 7 + qos }));
    const packet = await ada.expectAny();
    assert.ok(packet.type === PacketType.puback || packet.type === PacketType.pubrec);
    const { reasonCode, properties } = packet;
    if (reasonCode === 0x87) {
      assert.equal(properties.reasonString, `not authorized to publish to ${topic}`);
    }
    return reasonCode;
  };
  for (const qos of [1, 2] as const) {
    for (const topic of ["secret/kept", "secret/heard", "secret/nothing"]) {
      assert.equal(await ask(topic, qos), 0x87, topic);
    }
  }
  // 0x10 is of use to honest clients, and tells nothing of what is retained.
  assert.deepEqual([await ask("open/kept", 1), await ask("open/no", 1)], [0x10, 0x10]);
  assert.equal(await ask("open/heard", 1), 0);
});

test("attack: an alias that was set with a refused topic, moved to one, or whose right has gone leads nowhere", async (context) => {
  const { broker, admin } = await AttackedBroker.startStored(context, { yaml: adminYaml });
  await addUser(admin, "mallory", "own/#", "lent/#");
  const witness = await broker.login("admin", { clientIdentifier: "witness" });
  await subscribed(witness, "#");
  const mallory = await broker.login("mallory", { clientIdentifier: "mallory" });
  const send = (topic: string, topicAlias: number, payload = "forged"): void => {
    mallory.send(publish(topic, payload, { qos: 1, properties: { topicAlias } }));
  };
  const codes = async (count: number): Promise<number[]> => {
    const packets = await takeAll(mallory);
    assert.equal(packets.length, count);
    return packets.map((packet) => (packet.type === PacketType.puback ? packet.reasonCode : -1));
  };
  send("secret", 1);
  send("", 1);
  send("own/a", 2, "fine");
  send("secret", 2);
  send("", 2); // it is "secret" now, not "own/a"
  send("own/b", 1, "fine");
  send("", 1, "fine");
  send("lent/c", 3, "fine");
  assert.deepEqual(await codes(8), [0x87, 0x87, 0, 0x87, 0x87, 0, 0, 0]);
  await revoke(admin, "mallory", "lent/#");
  send("", 3);
  send("", 3);
  assert.deepEqual(await codes(2), [0x87, 0x87]);
  const other = await broker.login("mallory", { clientIdentifier: "another" });
  other.send(publish("", "forged", { properties: { topicAlias: 1 } }));
  await other.expectDisconnected(0x94); // aliases of one connection are nothing to another
  const heard = ["own/a=fine", "own/b=fine", "own/b=fine", "lent/c=fine"];
  assert.deepEqual(await takeTexts(witness), heard);
});

const escapes = [
  "../secret",
  "/../secret",
  "..",
  "/secret",
  "//secret",
  "site/../secret",
  "./secret",
];

/** What mallory hears at the listener with the mount point, who has rights to all topics. */
async function listenEverywhere(mallory: RawClient): Promise<void> {
  const filters = escapes.flatMap((path) => [path, `${path}/#`, `$share/g/${path}`]);
  const all = [...filters, "#", "+/#", "+/+", "$share/g/#", "$share/site/../#", "$share/../../#"];
  const codes = await subscribed(mallory, all);
  const invalid = ["$share/site/../#", "$share/../../#"];
  all.forEach((filter, index) => {
    if (!invalid.includes(filter)) assert.ok(codes[index] < 3, `${filter}: ${codes[index]}`);
  });
}

test("attack: nothing leads out of a mount point: dots, slashes, $share, aliases, wills, response topics, a session from elsewhere", async (context) => {
  const yaml = `listen:
  - mqtt://127.0.0.1:0
  - { url: mqtt://127.0.0.1:0, mountPoint: site/ }
${usersYaml({ admin: '["#"]', mallory: '["#"]' })}`;
  const broker = await AttackedBroker.start(context, { yaml });
  const witness = await broker.login("admin", { clientIdentifier: "witness" });
  await subscribed(witness, { filter: "#", noLocal: true });
  for (const [name, version] of versions) {
    const login = { version, clientIdentifier: `mallory ${name}`, ...kept(version) };
    const outside = await broker.login("mallory", login);
    await subscribed(outside, ["#", "secret", "$share/h/secret"]);
    const inside = await broker.login("mallory", { ...login, at: 1 });
    await listenEverywhere(inside);
    witness.send(publish("secret", "outside", { retain: true }), publish("site", "its name alone"));
    // One that begins with the mount point is inside of it, dots are letters.
    const beside = escapes.filter((topic) => !topic.startsWith("site/"));
    for (const topic of beside) witness.send(publish(topic, "outside"));
    await witness.ping();
    const heardInside = await takeTexts(inside);
    assert.ok(!heardInside.some((text) => text.endsWith("=outside")), `${name}: ${heardInside}`);
    for (const topic of escapes) {
      inside.send(publish(topic, "from inside", { retain: true }));
      if (version !== 5) continue;
      const properties = { topicAlias: 1, responseTopic: topic };
      inside.send(publish(topic, "from inside", { properties }));
      inside.send(publish("", "from inside", { properties }));
    }
    await takeAll(inside);
    const will = willOn("../secret");
    const willing = await broker.login("mallory", { version, clientIdentifier: "w", at: 1, will });
    willing.destroy();
    const heard = await takeMessages(witness);
    while (!heard.some(({ payload }) => Buffer.from(payload).toString() === "a will")) {
      heard.push(...(await takeMessages(witness)));
    }
    assert.ok(heard.length > escapes.length);
    for (const { topic, properties } of heard) {
      assert.ok(topic.startsWith("site/"), `${topic} in ${name}`);
      const { responseTopic } = properties;
      assert.ok(responseTopic === undefined || responseTopic.startsWith("site/"), responseTopic);
    }
    inside.destroy();
  }
  witness.send(publish("site/x", "a", { properties: { responseTopic: "secret" } }));
  const last = await broker.login("mallory", { clientIdentifier: "last", at: 1 });
  await subscribed(last, "$share/g/x");
  witness.send(publish("site/x", "b"));
  await expectPublish(last, { topic: "x", payload: "b" });
});
