/** Bans over real sockets; where clients come from is what a PROXY header says. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  AttemptGuard,
  AuthenticatorChain,
  hashPassword,
  makeScramKeys,
  PasswordVerifier,
  ScramAuthenticator,
  UserAdministration,
  UserAuthenticator,
  UserDirectory,
} from "../../src/auth/index.ts";
import { ReasonCode, systemClock } from "../../src/base/index.ts";
import { PacketType, ProtocolVersion } from "../../src/codec/index.ts";
import { createBroker, type Listener } from "../../src/index.ts";
import { MemoryStorage } from "../../src/storage/index.ts";
import { connectPacket, RawClient } from "../conformance/harness/index.ts";
import { ScramClient } from "./scram-client.ts";

const { v3_1_1, v5 } = ProtocolVersion;
const method = "SCRAM-SHA-256";

async function start(context: TestContext) {
  const directory = new UserDirectory({ configured: [], records: [] });
  const administration = new UserAdministration(directory, new MemoryStorage(), {
    clock: systemClock,
    hashPassword,
    makeScramKeys,
  });
  for (const name of ["ada", "bob"])
    await administration.addUser({ name, password: "geheim-1", scram: true });
  const guard = new AttemptGuard({ settings: { failuresBeforeDelayMax: 1000 } });
  const verifier = new PasswordVerifier(directory.passwordCosts);
  const users = new UserAuthenticator({ users: directory, verifier });
  const broker = createBroker({
    authenticator: guard.guard(new AuthenticatorChain([users])),
    enhancedAuthenticators: [guard.guardExchanges(new ScramAuthenticator(directory))],
  });
  context.after(() => broker.close({ seconds: 2 }));
  const proxyProtocol = { from: ["127.0.0.1"] };
  const listener = await broker.listen("mqtt://127.0.0.1:0", { proxyProtocol });
  return { broker, guard, listener };
}

/** A connection from `address` on which nothing has been said. */
async function open(listener: Listener, address: string, version: ProtocolVersion = v5) {
  const client = await RawClient.open(listener.url, version);
  client.send(Buffer.from(`PROXY TCP4 ${address} 198.51.100.1 5000 1883\r\n`));
  return client;
}

async function logIn(
  listener: Listener,
  address: string,
  [userName, password, version = v5]: [string, string, ProtocolVersion?],
): Promise<number> {
  const client = await open(listener, address, version);
  const clientIdentifier = `${userName}-${address}`;
  client.send(
    connectPacket(version, { userName, password: Buffer.from(password), clientIdentifier }),
  );
  const { reasonCode } = await client.expectPacket(PacketType.connack);
  if (reasonCode !== ReasonCode.success) await client.expectClosed();
  client.destroy();
  return reasonCode;
}

test("5.0 [MQTT-3.1.4-2] 3.1.1 [MQTT-3.2.2-5] a banned address gets 0x8A, in 3.1.1 0x05, whatever it says; others do not", async (context) => {
  const { guard, listener } = await start(context);
  const guess = (time: number) => logIn(listener, "192.0.2.7", [`user-${time}`, "guess"]);
  const codes = await Promise.all(Array.from({ length: 20 }, (_, time) => guess(time)));
  assert.ok(codes.every((code) => code === ReasonCode.badUserNameOrPassword));
  assert.equal(await logIn(listener, "192.0.2.7", ["ada", "geheim-1"]), ReasonCode.banned);
  assert.equal(await logIn(listener, "192.0.2.7", ["ada", "geheim-1", v3_1_1]), 0x05);
  assert.equal(await logIn(listener, "192.0.2.8", ["ada", "geheim-1"]), ReasonCode.success);
  guard.liftBan("192.0.2.7");
  assert.equal(await logIn(listener, "192.0.2.7", ["ada", "geheim-1"]), ReasonCode.success);
});

test("a load balancer's probe, and whoever hangs up before CONNECT, is no attack", async (context) => {
  const { guard, listener } = await start(context);
  for (let time = 0; time < 100; time++) {
    const probe = await open(listener, "192.0.2.7");
    probe.end();
    const silent = await RawClient.open(listener.url, v5);
    silent.destroy();
  }
  assert.deepEqual(guard.listBans(), []);
  assert.equal(await logIn(listener, "192.0.2.7", ["ada", "geheim-1"]), ReasonCode.success);
});

function connectWith(scramFirst: string) {
  const authenticationData = Buffer.from(scramFirst);
  return connectPacket(5, { properties: { authenticationMethod: method, authenticationData } });
}

async function tryScram(listener: Listener, address: string, scram: ScramClient): Promise<number> {
  const client = await open(listener, address);
  const authenticationData = Buffer.from(scram.first);
  client.send(
    connectPacket(5, { properties: { authenticationMethod: method, authenticationData } }),
  );
  const answer = await client.expectAny();
  assert.ok(answer.type === PacketType.auth || answer.type === PacketType.connack);
  if (answer.type === PacketType.connack) return answer.reasonCode;
  const serverFirst = Buffer.from(answer.properties.authenticationData ?? "").toString();
  client.send({
    type: PacketType.auth,
    reasonCode: ReasonCode.continueAuthentication,
    properties: {
      authenticationMethod: method,
      authenticationData: Buffer.from(scram.final(serverFirst)),
    },
  });
  const { reasonCode } = await client.expectPacket(PacketType.connack);
  client.destroy();
  return reasonCode;
}

test("5.0 [MQTT-4.12.0-4] failed SCRAM counts with failed passwords, for the name that the client said in it", async (context) => {
  const { guard, listener } = await start(context);
  assert.equal(await logIn(listener, "192.0.2.1", ["bob", "geheim-1"]), ReasonCode.success);
  for (let time = 0; time < 10; time++) {
    const address = `203.0.113.${time}`;
    const scram = new ScramClient("bob", "guess");
    assert.equal(await tryScram(listener, address, scram), ReasonCode.badUserNameOrPassword);
    assert.equal(
      await logIn(listener, address, ["bob", "guess"]),
      ReasonCode.badUserNameOrPassword,
    );
  }
  const right = new ScramClient("bob", "geheim-1");
  const refused = await open(listener, "192.0.2.2");
  refused.send(connectWith(right.first));
  await refused.expectRefused(ReasonCode.banned);
  assert.equal(await tryScram(listener, "192.0.2.2", right), ReasonCode.banned);
  assert.equal(await logIn(listener, "192.0.2.2", ["bob", "geheim-1"]), ReasonCode.banned);
  assert.equal(await tryScram(listener, "192.0.2.1", right), ReasonCode.success);
  assert.deepEqual(
    guard.listBans().map(({ kind, subject }) => [kind, subject]),
    [["user", "bob"]],
  );
});
