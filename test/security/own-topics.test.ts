/** `$share`, `$SYS` and `$tstack`: what is the broker's, and what only looks like it. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { PacketType } from "../../src/codec/index.ts";
import { expectPublish, publish, subscribed } from "../conformance/packets.ts";
import {
  AttackedBroker,
  takeAll,
  takeMessages,
  usersYaml,
  versions,
  willOn,
} from "./attacked-broker.ts";

function start(context: TestContext): Promise<AttackedBroker> {
  const users = {
    all: '["#", "$x/#"]',
    // As much as a configuration can say.
    root: '["#", "+/#", "$SYS/#", "$tstack/#", "$SYS", "$tstack"]',
    version: '[{ allow: subscribe, filter: "$SYS/broker/version" }]',
  };
  return AttackedBroker.start(context, { yaml: `sysTopicsSeconds: 1\n${usersYaml(users)}` });
}

const refused = [
  "$SYS/#",
  "$SYS",
  "$SYS/+/version",
  "$SYS/broker/version",
  "$share/g/$SYS/#",
  "$share/$SYS/$SYS/#",
  "$share/g/$share/h/$SYS/#",
  "$share/g/$share/h/a",
  "$SYS/broker/../#",
  "$sys/#",
  "$tstack/#",
  "$tstack/gap/+",
  "$tstack/gap/other",
  "$tstack/gap/me/#",
  "$tstack/gap/",
  "$share/g/$tstack/gap/other",
  "$share",
  "$SHARE/g/a",
  "$Share/g/#",
  "$/#",
  "$+/a",
];
/** Such filters the standard does not allow, whatever the rights. */
const invalid = ["$share//a", "$share/g", "$share/g/", "$share/+/a", "$share/#/a", "$share/g+/a"];

test("attack: # and what looks like it reads nothing of the broker's own topics, and $share does not lead around that", async (context) => {
  const broker = await start(context);
  for (const [name, version] of versions) {
    const client = await broker.login("all", { version, clientIdentifier: "me" });
    const filters = [...refused, ...invalid];
    const codes = await subscribed(client, filters);
    filters.forEach((filter, index) => {
      assert.ok(codes[index] >= 0x80, `${filter} in ${name}`);
    });
    const allowed = ["#", "+/#", "+/+", "$share/g/#", "$share/$SYS/#", "$x/#", "$tstack/gap/me"];
    assert.deepEqual(await subscribed(client, allowed), [0, 0, 0, 0, 0, 0, 0], name);
    // A round of $SYS has gone out meanwhile.
    const reader = await broker.login("version", { version, clientIdentifier: "reader" });
    assert.deepEqual(await subscribed(reader, "$SYS/broker/version"), [0]);
    await expectPublish(reader, { topic: "$SYS/broker/version" });
    assert.deepEqual(await takeMessages(client), [], name);
    client.destroy();
  }
});

test("attack: a client identifier with wildcards does not make of one's own gaps those of all", async (context) => {
  const broker = await start(context);
  for (const [name, version] of versions) {
    for (const clientIdentifier of ["+", "#", "a/+", "+/#"]) {
      const client = await broker.login("all", { version, clientIdentifier });
      const filter = `$tstack/gap/${clientIdentifier}`;
      const [code] = await subscribed(client, filter);
      assert.ok(code >= 0x80, `${filter} in ${name}`);
      client.destroy();
    }
  }
});

const ownNames = ["$SYS", "$SYS/broker/version", "$SYS/x", "$tstack", "$tstack/gap/reader"];
const notOwn = ["$share/g/a", "$share/g/$SYS/x", "$SYSTEM/x", "$sys/x", "$queue/a"];

test("attack: nobody publishes to the broker's own topics, also not kept, as a will, by alias or with a right to them", async (context) => {
  const broker = await start(context);
  const reader = await broker.login("root", { clientIdentifier: "reader" });
  assert.deepEqual(
    await subscribed(reader, ["$SYS/#", "$tstack/#", "#", "$share/g/a"]),
    [0, 0, 0, 0],
  );
  for (const [name, version] of versions) {
    const client = await broker.login("root", { version, clientIdentifier: "me" });
    for (const topic of [...ownNames, ...notOwn]) {
      for (const retain of [false, true]) {
        client.send(publish(topic, "forged"), publish(topic, "forged", { qos: 1, retain }));
        const { reasonCode } = await client.expectPacket(PacketType.puback);
        assert.equal(reasonCode, version === 5 ? 0x87 : 0, `${topic} in ${name}`);
      }
      const login = { version, clientIdentifier: "will", will: willOn(topic) };
      const { connack } = await broker.tryLogin("root", login);
      assert.equal(connack.reasonCode, version === 5 ? 0x87 : 5, `will on ${topic} in ${name}`);
    }
    if (version === 5) {
      const properties = { topicAlias: 1 };
      client.send(
        publish("$SYS/x", "forged", { properties }),
        publish("", "forged", { properties }),
      );
      assert.deepEqual(await takeAll(client), []);
    }
    client.send(publish("a", `real ${name}`));
    await client.ping();
  }
  const texts = (await takeMessages(reader)).map(({ payload }) => Buffer.from(payload).toString());
  assert.ok(texts.includes("real 5.0"));
  assert.ok(!texts.includes("forged"));
});

test("attack: topic names with wildcards or NUL are published nowhere, and end the connection", async (context) => {
  const broker = await start(context);
  const reader = await broker.login("all", { clientIdentifier: "reader" });
  assert.deepEqual(await subscribed(reader, "#"), [0]);
  for (const [, version] of versions) {
    for (const topic of ["#", "+", "a/+", "a/#", "a+", "$share/g/#", "a\0b", "\0"]) {
      const client = await broker.login("all", { version, clientIdentifier: "me" });
      client.send(publish(topic, "x"));
      await client.expectDisconnected(topic.includes("\0") ? 0x81 : 0x90);
    }
  }
  assert.deepEqual(await takeMessages(reader), []);
});
