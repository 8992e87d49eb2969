/** Where secrets must not be: in logs, in command lines, in files and sockets that others may open, in answers. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { apiPath, ask } from "../../src/cli/admin-client/index.ts";
import { PacketType } from "../../src/codec/index.ts";
import { ScramClient } from "../auth/scram-client.ts";
import { startService } from "../auth/service.ts";
import { newFile, newKey, secret } from "../auth/tokens.ts";
import { RunningProgram } from "../cli/programs.ts";
import { connectPacket } from "../conformance/harness/index.ts";
import { publish, subscribed } from "../conformance/packets.ts";
import { AttackedBroker, kept, unguarded } from "./attacked-broker.ts";

const program = (name: string) => path.join(import.meta.dirname, "../../src/cli", `${name}.ts`);

/** treg beside the broker of `data`, over plain HTTP. */
async function startTreg(context: TestContext, data: string) {
  const args = ["--data", data, "--listen", "http://127.0.0.1:0", "--broker", "mqtt://localhost"];
  const treg = new RunningProgram(process.execPath, [program("treg"), ...args]);
  context.after(async () => {
    treg.child.kill("SIGTERM");
    await treg.ended;
  });
  for (let attempt = 0; attempt < 500; attempt++) {
    const [, port] = /127\.0\.0\.1:(\d+)/.exec(treg.stderr + treg.bytes.toString()) ?? [];
    if (port !== undefined) return { treg, port: Number(port) };
    await sleep(20);
  }
  throw new Error(`treg does not listen: ${treg.stderr}`);
}

async function register(port: number, body: string, headers = {}): Promise<Response> {
  const url = `http://127.0.0.1:${port}/register.json`;
  const all = { "content-type": "application/json", ...headers };
  return await fetch(url, { method: "POST", body, headers: all });
}

/** Everything that is secret here, whole or a part that would be enough. */
const secrets = {
  configured: "configured-Geheimnis-1",
  environment: "environment-Geheimnis-2",
  api: "api-Geheimnis-3",
  changed: "changed-Geheimnis-4",
  guessed: "guessed-Geheimnis-5",
  payload: "payload-Geheimnis-6",
  service: `service-Geheimnis-7${"x".repeat(32)}`,
};

test("attack: whoever reads the logs at level debug, the command lines or the audit finds no password, token, hash or key", async (context) => {
  const service = await startService(context, ({ body }) => ({
    result: body.includes("by-service") ? "allow" : "ignore",
  }));
  const jwtFile = await newFile(context, secret);
  const serviceFile = await newFile(context, secrets.service);
  const { broker, admin, data } = await AttackedBroker.startStored(context, {
    args: ["--log-level", "debug", "--log-format", "json"],
    environment: { TSTACK_USERS_1_PASSWORD: secrets.environment },
    yaml: `users:
  - { name: ada, password: ${secrets.configured}, rights: "#" }
  - { name: eva, rights: [] }
${unguarded}  jwt: { secretFile: ${jwtFile} }
  http: { url: "${service.url}", secretFile: ${serviceFile} }
`,
  });
  const { treg, port } = await startTreg(context, data);
  const user = { name: "bob", password: secrets.api, rules: [], scram: true };
  await ask(admin, "POST", "/v1/users", user);
  const token = await (await newKey("HS256")).sign({ sub: "tom", rights: ["#"] });
  const { key } = await ask<{ key: string }>(admin, "POST", "/v1/registration-keys", { name: "k" });
  const registered = await register(port, JSON.stringify({ RegistrationKey: key }));
  assert.equal(registered.status, 200);
  const { Password: given, Name: device } = (await registered.json()) as Record<string, string>;
  await register(port, JSON.stringify({ RegistrationKey: `${key}x` }));
  await register(port, `{"RegistrationKey": "${key}`);
  for (const [userName, password, code] of [
    ["ada", secrets.configured, 0],
    ["eva", secrets.environment, 0],
    ["bob", secrets.api, 0],
    [device, given, 0],
    [undefined, token, 0],
    ["by-service", secrets.api, 0],
    ["bob", secrets.guessed, 0x86],
    ["nobody", secrets.guessed, 0x86],
    ["tom", `${token}x`, 0x87],
  ] as const) {
    for (const version of [4, 5] as const) {
      if (version === 4 && userName === undefined) continue; // 3.1.1 knows no password without a name
      const login = { version, clientIdentifier: `${userName}`, ...kept(version) };
      const { client, connack } = await broker.tryLogin(undefined, {
        ...login,
        userName,
        password: Buffer.from(password),
      });
      if (version === 5 || code === 0) assert.equal(connack.reasonCode, code, `${userName}`);
      if (code !== 0) continue;
      await subscribed(client, "x");
      client.send(publish("x", secrets.payload, { qos: 1 })); // payloads are nobody's business either
      await client.expectAny();
      client.destroy();
    }
  }
  const scram = new ScramClient("bob", secrets.guessed);
  const properties = {
    authenticationMethod: "SCRAM-SHA-256",
    authenticationData: Buffer.from(scram.first),
  };
  const client = await broker.open();
  client.send(connectPacket(5, { properties }));
  await client.expectPacket(PacketType.auth);
  await ask(admin, "PUT", apiPath`/v1/users/${"bob"}/password`, { password: secrets.changed });
  const lines = [treg, broker.process.running].map(({ child }) =>
    readFileSync(`/proc/${child.pid}/cmdline`, "utf8"),
  );
  const files = readdirSync(data).filter((name) => name !== "tstack.sock");
  const stored = files.map((name) => readFileSync(path.join(data, name), "latin1")).join("\n");
  assert.ok(stored.includes("bob"), `${files}`);
  const told = [broker.process.output, treg.bytes.toString(), treg.stderr, ...lines].join("\n");
  assert.match(told, /"level":"?(?:20|debug)|subscribed/, "it is the log at level debug");
  const all = { ...secrets, given, key, token, signature: token.split(".")[2] };
  for (const [name, text] of Object.entries(all)) {
    assert.ok(text.length > 10, name);
    assert.ok(!told.includes(text), `the secret "${name}" is told`);
    const encoded = Buffer.from(text).toString("base64").replaceAll("=", "");
    assert.ok(!told.includes(encoded), `the secret "${name}" is told in Base64`);
    if (name !== "payload") assert.ok(!stored.includes(text), `the secret "${name}" is stored`);
  }
  assert.doesNotMatch(told, /\$argon2|storedKey|serverKey/);
});

/** Runs as `nobody`, who opens each path to read and each socket to connect. */
const intruder = `
process.setgroups([]); process.setgid(65534); process.setuid(65534);
const [data, socket] = process.argv.slice(1);
const fs = require("node:fs");
const told = [];
try { told.push(...fs.readdirSync(data).map((name) => {
  try { fs.readFileSync(data + "/" + name); return "read " + name; } catch (error) { return error.code; }
})); } catch (error) { told.push(error.code); }
require("node:net").connect(socket)
  .on("connect", () => { told.push("connected"); console.log(JSON.stringify(told)); process.exit(); })
  .on("error", (error) => { told.push(error.code); console.log(JSON.stringify(told)); });
`;

test("attack: another user of the machine reads no file of the broker's folder and opens no socket of it, whatever umask and folder", async (context) => {
  const before = process.umask(0);
  const started = await AttackedBroker.startStored(context).finally(() => process.umask(before));
  const { data, broker, admin } = started;
  await ask(admin, "POST", "/v1/users", { name: "ada", password: "x", rules: [] });
  const names = readdirSync(data);
  assert.ok(names.includes("tstack.sock") && names.length >= 3, `${names}`);
  for (const name of names) {
    const { mode } = statSync(path.join(data, name));
    assert.equal(mode & 0o077, 0, `${name} has mode ${(mode & 0o777).toString(8)}`);
  }
  assert.equal(broker.process.running.stderr, "");
  chmodSync(data, 0o777);
  // Only root can become somebody else; there the modes above are put to the test.
  if (process.getuid?.() !== 0) return;
  const args = ["-e", intruder, data, path.join(data, "tstack.sock")];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(stderr, "");
  const told = JSON.parse(stdout) as string[];
  assert.equal(told.length, names.length + 1, stdout);
  // A socket cannot be read at all.
  assert.ok(
    told.every((word) => word === "EACCES" || word === "ENXIO"),
    stdout,
  );
});

test("attack: a folder that tserve makes is for its owner alone, whatever the umask", async (context) => {
  const above = mkdtempSync(path.join(tmpdir(), "above-"));
  context.after(() => rmSync(above, { recursive: true }));
  const data = path.join(above, "made", "by-tserve");
  const before = process.umask(0);
  try {
    await AttackedBroker.start(context, { data });
  } finally {
    process.umask(before);
  }
  assert.equal(statSync(data).mode & 0o777, 0o700);
});

test("attack: bombs and prototypes sent to treg are refused before they cost anything", async (context) => {
  const { admin, data } = await AttackedBroker.startStored(context);
  const { treg, port } = await startTreg(context, data);
  const { key } = await ask<{ key: string }>(admin, "POST", "/v1/registration-keys", { name: "k" });
  const bombs: [string, Record<string, string>][] = [
    [JSON.stringify({ RegistrationKey: "x".repeat(10_000) }), {}],
    [`{"RegistrationKey":${"[".repeat(2000)}`, {}],
    [`{"__proto__":{"RegistrationKey":"${key}"}}`, {}],
    [`{"RegistrationKey":"${key}","__proto__":{"uses":9}}`, {}],
    [`{"RegistrationKey":{"toString":"${key}"}}`, {}],
    [`{"RegistrationKey":["${key}"]}`, {}],
    ["{}", { "content-encoding": "gzip" }],
    ["x=1", { "content-type": "application/x-www-form-urlencoded" }],
  ];
  for (const [body, headers] of bombs) {
    const { status } = await register(port, body, headers);
    assert.ok(status >= 400 && status < 500, `${status} for ${body.slice(0, 60)}`);
  }
  const heads = [
    `POST /register.json HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(5_000_000)}\r\n\r\n`,
    `POST /register.json HTTP/1.1\r\nHost: x\r\n${"a: b\r\n".repeat(50_000)}\r\n`,
    `POST /register.json HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
  ];
  for (const head of heads) {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    socket.write(head);
    await new Promise((resolve) => socket.on("close", resolve));
    assert.match(answer, /^$|^HTTP\/1\.1 4/);
  }
  const keys = await ask<unknown[]>(admin, "GET", "/v1/registration-keys");
  assert.equal(keys.length, 1);
  assert.equal(
    (await ask<unknown[]>(admin, "GET", "/v1/users")).length,
    0,
    "nobody was registered",
  );
  assert.ok(!treg.stderr.includes(key));
});
