/** Logins: what their answers tell about users, by words, codes and time, and what a flood of wrong ones does to right ones. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { ask } from "../../src/cli/admin-client/index.ts";
import { encodePacket, PacketType } from "../../src/codec/index.ts";
import { ScramClient } from "../auth/scram-client.ts";
import { connectPacket } from "../conformance/harness/index.ts";
import { AttackedBroker, password, unguarded, usersYaml, versions } from "./attacked-broker.ts";

const yaml = `${usersYaml({ plain: '["#"]' })}${unguarded}`;

async function start(context: TestContext): Promise<AttackedBroker> {
  const { broker, admin } = await AttackedBroker.startStored(context, { yaml });
  for (const name of ["ada", "disabled", "scram"]) {
    const user = { name, password, rules: [], scram: name === "scram" };
    await ask(admin, "POST", "/v1/users", { ...user, isEnabled: name !== "disabled" });
  }
  await ask(admin, "POST", "/v1/users", { name: "certificate", rules: [] }); // has no password
  return broker;
}

const guesses: [string, string][] = [
  ["nobody", "wrong"],
  ["plain", "wrong"],
  ["ada", "wrong"],
  ["ada", ""],
  ["scram", "wrong"],
  ["certificate", "wrong"],
  ["certificate", ""],
  ["disabled", "wrong"],
  ["disabled", password],
  ["", "wrong"],
];

test("attack: the answer to a wrong login is the same bytes, whether there is such a user, a disabled one or none", async (context) => {
  const broker = await start(context);
  for (const [name, version] of versions) {
    const answers = new Set<string>();
    for (const [userName, guess] of guesses) {
      const client = await broker.open(version);
      client.send(connectPacket(version, { userName, password: Buffer.from(guess) }));
      answers.add((await client.expectFrame()).toString("hex"));
      await client.expectClosed();
    }
    assert.equal(answers.size, 1, `${name}: ${[...answers]}`);
  }
  // SCRAM: the first answer has a salt also for nobody, always the same, and the last is the same refusal.
  const salts = new Map<string, string>();
  for (const userName of ["scram", "nobody", "ada", "disabled", "nobody"]) {
    const scram = new ScramClient(userName, "wrong");
    const client = await broker.open();
    const properties = {
      authenticationMethod: "SCRAM-SHA-256",
      authenticationData: Buffer.from(scram.first),
    };
    client.send(connectPacket(5, { properties }));
    const auth = await client.expectPacket(PacketType.auth);
    const first = Buffer.from(auth.properties.authenticationData ?? "").toString();
    const shape = first.replace(/^r=[^,]+,s=[^,]+/, "").concat(String(first.length));
    const [, salt] = /s=([^,]+)/.exec(first) ?? assert.fail(first);
    assert.equal(salts.get(userName) ?? salt, salt, "a salt that changes tells that it is made up");
    salts.set(userName, salt);
    assert.equal(salts.get("shape") ?? shape, shape);
    salts.set("shape", shape);
    const authenticationData = Buffer.from(scram.final(first));
    client.send({
      type: PacketType.auth,
      reasonCode: 0x18,
      properties: { authenticationMethod: "SCRAM-SHA-256", authenticationData },
    });
    const { reasonCode, properties: told } = await client.expectPacket(PacketType.connack);
    const answer = `${reasonCode} ${told.reasonString}`;
    assert.equal(salts.get("answer") ?? answer, answer, userName);
    salts.set("answer", answer);
  }
});

test("attack: a clock cannot tell users from strangers", async (context) => {
  const broker = await start(context);
  const times = new Map<string, number[]>();
  for (let round = 0; round < 8; round++) {
    for (const userName of ["ada", `nobody ${round}`, "disabled", "certificate", "plain"]) {
      const client = await broker.open();
      const begin = performance.now();
      client.send(connectPacket(5, { userName, password: Buffer.from(`guess ${round}`) }));
      await client.expectFrame();
      const kind = userName.replace(/ \d+$/, "");
      times.set(kind, [...(times.get(kind) ?? []), performance.now() - begin]);
    }
  }
  const fastest = [...times].map(([kind, all]) => [kind, Math.min(...all)] as const);
  const figures = fastest.map(([, milliseconds]) => milliseconds);
  const words = fastest.map(([kind, milliseconds]) => `${kind} ${milliseconds.toFixed(1)} ms`);
  context.diagnostic(words.join(", "));
  // The work itself is counted in src/auth/password-costs.test.ts; without it a stranger takes a millisecond.
  assert.ok(Math.min(...figures) > 5, words.join(", "));
  assert.ok(Math.max(...figures) < 3 * Math.min(...figures), words.join(", "));
});

/** A login from `address`, as a proxy tells it; answers CONNACK's code when it comes. */
function loginFrom(address: string, port: number, userName: string, guess: string) {
  const socket = connect(port, "127.0.0.1");
  const clientIdentifier = `${userName} ${guess}`;
  const fields = { clientIdentifier, userName, password: Buffer.from(guess) };
  socket.write(`PROXY TCP4 ${address} 192.0.2.1 50000 1883\r\n`);
  socket.write(encodePacket(connectPacket(5, fields), 5));
  const code = new Promise<number | undefined>((resolve) => {
    socket.once("data", (bytes: Buffer) => resolve(bytes[3]));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(undefined));
  });
  return { socket, code };
}

/** CONNACK's codes of so many wrong passwords at once. */
async function flood(context: TestContext, port: number, count: number) {
  const logins = Array.from({ length: count }, (_, index) =>
    loginFrom("192.0.2.66", port, index % 2 ? "ada" : "eve", `guess ${index}`),
  );
  context.after(() => {
    for (const { socket } of logins) socket.destroy();
  });
  return await Promise.all(logins.map(({ code }) => code));
}

test("attack: a flood of wrong passwords keeps nobody out who was here before; who is new waits for at most eight seconds", async (context) => {
  // As by default: guesses are delayed, then banned.
  const { broker, admin } = await AttackedBroker.startStored(context, {
    yaml: `listen: [{ url: "mqtt://127.0.0.1:0", proxyProtocol: { from: [127.0.0.1] } }]
${usersYaml({ plain: '["#"]' })}`,
  });
  for (const name of ["ada", "bob", "new"]) {
    await ask(admin, "POST", "/v1/users", { name, password, rules: [] });
  }
  const [port] = broker.process.ports;
  const login = async (userName: string) => {
    const begin = performance.now();
    const { code, socket } = loginFrom("192.0.2.7", port, userName, password);
    context.after(() => socket.destroy());
    return { code: await code, milliseconds: performance.now() - begin };
  };
  for (const userName of ["ada", "bob", "plain"]) assert.equal((await login(userName)).code, 0);
  const flooded = flood(context, port, 400);
  // "ada" is guessed at, too, and then banned elsewhere.
  for (const userName of ["ada", "bob", "plain"]) {
    const { code, milliseconds } = await login(userName);
    assert.equal(code, 0, userName);
    assert.ok(milliseconds < 4000, `${userName} waited ${milliseconds} ms`);
  }
  const { code, milliseconds } = await login("new");
  assert.ok(code === 0 || code === 0x89, `${code}`);
  assert.ok(milliseconds < 10_000, `${milliseconds} ms`);
  const codes = await flooded;
  const counts = Object.groupBy(codes, (one) => `0x${one?.toString(16)}`);
  const words = Object.entries(counts).map(([one, all]) => `${one}: ${all?.length}`);
  context.diagnostic(`${words.join(", ")}; new: ${code} after ${milliseconds.toFixed(0)} ms`);
  // 0x86 wrong, 0x89 busy, 0x8A banned; undefined: ended by connectSecondsMax.
  assert.ok(!codes.includes(0), "a wrong password let in");
  assert.ok((counts["0x8a"]?.length ?? 0) > 100, "the address that guesses is banned");
  // Now it costs nothing more, and who is new gets in at once.
  assert.ok((await flood(context, port, 200)).every((one) => one === 0x8a));
  assert.equal((await login("new")).code, 0);
  assert.equal((await login("ada")).code, 0);
});
