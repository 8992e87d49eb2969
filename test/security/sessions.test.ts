/** Sessions of others: to take over, to end, to read, to acknowledge in their place. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { PacketType, ProtocolVersion } from "../../src/codec/index.ts";
import { newFile, newKey, secret } from "../auth/tokens.ts";
import {
  disconnect,
  expectPublish,
  puback,
  publish,
  pubrec,
  pubrel,
  subscribed,
} from "../conformance/packets.ts";
import {
  AttackedBroker,
  kept,
  takeAll,
  takeTexts,
  usersYaml,
  versions,
  willOn,
} from "./attacked-broker.ts";

const { v3_1_1, v5 } = ProtocolVersion;

/** The second listener is for anonymous clients, the third has a mount point. */
function start(context: TestContext): Promise<AttackedBroker> {
  const yaml = `listen:
  - mqtt://127.0.0.1:0
  - url: mqtt://127.0.0.1:0
    authentication: [anonymous]
    allowAnonymous: true
    anonymous: { rights: ["hall/#"] }
  - url: mqtt://127.0.0.1:0
    mountPoint: site/
${usersYaml({ ada: '["ada/#", "site/#"]', bob: '["bob/#", "site/ada/#"]', admin: '["#"]' })}`;
  return AttackedBroker.start(context, { yaml });
}

test("attack: the session of another user is neither taken over nor ended, in any version, with or without a clean start, with a will, from any listener", async (context) => {
  const broker = await start(context);
  const ada = await broker.login("ada", { clientIdentifier: "adas", ...kept(v5) });
  await subscribed(ada, { filter: "ada/x", qos: 1 });
  const admin = await broker.login("admin", { clientIdentifier: "admin" });
  const tries: [string | undefined, number][] = [
    ["bob", 0],
    [undefined, 1],
    ["bob", 2],
  ];
  const attack = async (): Promise<void> => {
    for (const [userName, at] of tries) {
      for (const [name, version] of versions) {
        for (const cleanStart of [true, false]) {
          for (const will of [undefined, willOn(at === 1 ? "hall/w" : "bob/w")]) {
            const login = { clientIdentifier: "adas", at, version, cleanStart, will };
            // Below its mount point bob has no right to a will on bob/w.
            const { connack } = await broker.tryLogin(userName, login);
            const where = `${userName} at ${at} in ${name}`;
            assert.equal(connack.reasonCode, version === v5 ? 0x87 : 5, where);
            assert.equal(connack.sessionPresent, false, where);
          }
        }
      }
    }
  };
  await attack();
  admin.send(publish("ada/x", "still hers"));
  await expectPublish(ada, { topic: "ada/x", payload: "still hers" });
  await ada.ping();
  await disconnect(ada);
  admin.send(publish("ada/x", "kept for her", { qos: 1 }));
  await admin.expectPacket(PacketType.puback);
  await attack();
  const back = await broker.login("ada", { clientIdentifier: "adas", ...kept(v5) });
  assert.equal(back.connack, undefined);
  await expectPublish(back, { topic: "ada/x", payload: "kept for her" });
});

test("attack: an anonymous client prepares a session with subscriptions for a user who may not have them: they end before anything is delivered", async (context) => {
  const broker = await start(context);
  for (const [name, version] of versions) {
    const clientIdentifier = `trap ${name}`;
    const anonymous = { clientIdentifier, version, at: 1, ...kept(version) };
    const first = await broker.login(undefined, anonymous);
    assert.deepEqual(await subscribed(first, { filter: "hall/secret", qos: 1 }), [1]);
    await disconnect(first);
    // Taken up by its maker once more: what it holds has then been looked at.
    await disconnect(await broker.login(undefined, anonymous));
    const bob = await broker.login("bob", { clientIdentifier, version, ...kept(version) });
    const admin = await broker.login("admin", { clientIdentifier: "admin" });
    admin.send(publish("hall/secret", "not for bob", { qos: 1 }));
    await admin.expectPacket(PacketType.puback);
    assert.deepEqual(await takeTexts(bob), [], name);
  }
});

test("attack: what a session was granted by a token is not kept by its user when it comes back with a password", async (context) => {
  const secretFile = await newFile(context, secret);
  const broker = await AttackedBroker.start(context, {
    yaml: `${usersYaml({ ada: '["ada/#"]', admin: '["#"]' })}authentication:
  jwt: { secretFile: ${secretFile} }
`,
  });
  const token = await (await newKey("HS256")).sign({ sub: "ada", rights: ["#"] });
  const login = { clientIdentifier: "adas", ...kept(v5) };
  const byToken = { ...login, userName: "ada", password: Buffer.from(token) };
  const first = await broker.login("ada", login);
  assert.deepEqual(await subscribed(first, { filter: "ada/x", qos: 1 }), [1]);
  await disconnect(first);
  await disconnect(await broker.login("ada", login)); // what it holds has been looked at
  const wide = await broker.login(undefined, byToken);
  assert.deepEqual(await subscribed(wide, { filter: "secret", qos: 1 }), [1]);
  await disconnect(wide);
  await disconnect(await broker.login(undefined, byToken));
  const narrow = await broker.login("ada", login);
  const admin = await broker.login("admin", { clientIdentifier: "admin" });
  for (const topic of ["secret", "ada/x"]) {
    admin.send(publish(topic, "now", { qos: 1 }));
    await admin.expectPacket(PacketType.puback);
  }
  assert.deepEqual(await takeTexts(narrow), ["ada/x=now"]);
});

test("attack: packet identifiers of another session acknowledge, release and redeliver nothing of it", async (context) => {
  const broker = await start(context);
  const ada = await broker.login("ada", { clientIdentifier: "adas", ...kept(v5) });
  await subscribed(ada, { filter: "ada/#", qos: 2 });
  const admin = await broker.login("admin", { clientIdentifier: "admin" });
  admin.send(publish("ada/1", "one", { qos: 1 }));
  await admin.expectPacket(PacketType.puback);
  admin.send(publish("ada/2", "two", { qos: 2 }));
  await admin.expectPacket(PacketType.pubrec);
  const one = await expectPublish(ada, { payload: "one" });
  const two = await expectPublish(ada, { payload: "two" });
  const bob = await broker.login("bob", { clientIdentifier: "bobs" });
  for (const identifier of [one.packetIdentifier ?? 0, two.packetIdentifier ?? 0]) {
    bob.send(puback(identifier), pubrec(identifier), pubrel(identifier));
  }
  bob.send(pubrel(1)); // of the admin's message
  const answers = (await takeAll(bob)).map(({ type }) => type);
  assert.ok(!answers.includes(PacketType.publish));
  ada.destroy();
  const back = await broker.login("ada", { clientIdentifier: "adas", ...kept(v5) });
  await expectPublish(back, { payload: "one", dup: true });
  await expectPublish(back, { payload: "two", dup: true });
  admin.send(pubrel(1));
  const pubcomp = await admin.expectPacket(PacketType.pubcomp);
  assert.equal(pubcomp.reasonCode, 0, "it was still the admin's to release");
});

test("attack: a session made on one listener and taken up on another delivers what the rights say, under the names of that listener", async (context) => {
  const broker = await start(context);
  const names = { clientIdentifier: "adas", ...kept(v3_1_1), version: v3_1_1 };
  const outside = await broker.login("ada", names);
  assert.deepEqual(await subscribed(outside, ["ada/x", "site/a"]), [0, 0]);
  await disconnect(outside);
  const inside = await broker.login("ada", { ...names, at: 2 });
  const admin = await broker.login("admin", { clientIdentifier: "admin" });
  admin.send(publish("ada/x", "outside"), publish("site/a", "inside"), publish("site/ada/x", "no"));
  await admin.ping();
  assert.deepEqual(await takeTexts(inside), ["a=inside"]);
});
