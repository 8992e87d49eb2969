/** Names that would reach further where `%u` and `%c` stand: of stored users, tokens, certificates, and as client identifiers. */
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { type TestContext, test } from "node:test";
import tls from "node:tls";
import { type AdminClient, ask } from "../../src/cli/admin-client/index.ts";
import { PacketType } from "../../src/codec/index.ts";
import { newFile, newKey, secret } from "../auth/tokens.ts";
import { RawClient } from "../conformance/harness/index.ts";
import { disconnect, publish, subscribed } from "../conformance/packets.ts";
import { CertificateFolder, TestAuthority } from "../listeners/test-authority.ts";
import {
  AttackedBroker,
  type Login,
  password,
  takeMessages,
  unguarded,
  usersYaml,
  versions,
} from "./attacked-broker.ts";

const names = ["+", "#", "/", "a/+", "a/b", "$SYS", "+/+", "a+", "#a"];
const rights = ["devices/%u/#", "%u/#", { deny: "both", filter: "of/%u" }, "of/#", "by/%c/#"];

/** These are levels like others, but for `$` in front. */
function isOneLevel(name: string): boolean {
  return name === "$SYS" || name === "a, CN=admin";
}

/** What nobody with such a name may read. */
function reaches(name: string): string[] {
  const own = [
    `devices/${name}/#`,
    `devices/${name}`,
    `devices/${name}/x`,
    `by/${name}/#`,
    "of/ann",
  ];
  const all = ["devices/#", "devices/+/#", "devices/ann/#", "devices/+/x", "#", "+/#", "$SYS/#"];
  return [
    ...(isOneLevel(name) ? [] : own),
    ...all,
    ...(name === "a, CN=admin" ? ["admin/#", "devices/admin/#"] : [`${name}/#`]),
    ...["by/+/#", "by/ann/x", "by/#", "of/#", "of/+"],
  ];
}

/** Tries all of it with a client of that name, which is then told everything that it must not hear. */
async function attack(client: RawClient, name: string, teller: RawClient): Promise<void> {
  const codes = await subscribed(client, reaches(name));
  reaches(name).forEach((filter, index) => {
    assert.ok(codes[index] >= 0x80, `${JSON.stringify(name)} may read ${filter}`);
  });
  const topics = ["devices/ann/x", "devices/a/b", "ann/x", "a/b", "by/ann/x"];
  for (const topic of isOneLevel(name) ? topics : [...topics, "of/ann"]) {
    client.send(publish(topic, `forged by ${name}`, { qos: 1 }));
    await client.expectPacket(PacketType.puback);
    teller.send(publish(topic, "told"));
  }
  await teller.ping();
  assert.deepEqual(await takeMessages(client), [], name);
  await disconnect(client); // or its client identifier would still be its user's
}

async function newWitness(broker: AttackedBroker): Promise<RawClient> {
  const witness = await broker.login("admin", { clientIdentifier: "witness" });
  assert.deepEqual(await subscribed(witness, { filter: "#", noLocal: true }), [0]);
  return witness;
}

/** The configuration refuses such names; the API takes any, and tokens and certificates bring them. */
async function addUsers(admin: AdminClient, all: readonly string[]): Promise<void> {
  const rules = rights.map((right) =>
    typeof right === "string"
      ? { allow: "both", filter: right }
      : { deny: "both", filter: right.filter },
  );
  await ask(admin, "POST", "/v1/roles", { name: "device", rules });
  for (const name of all) {
    await ask(admin, "POST", "/v1/users", { name, password, roles: ["device"] });
  }
}

const adminYaml = usersYaml({ admin: '["#"]' });

test("attack: user names and client identifiers with wildcards, slashes or $ widen nothing", async (context) => {
  const { broker, admin } = await AttackedBroker.startStored(context, { yaml: adminYaml });
  await addUsers(admin, [...names, "ann"]);
  const witness = await newWitness(broker);
  for (const [, version] of versions) {
    for (const name of names) {
      const login: Login = { version, clientIdentifier: name };
      await attack(await broker.login(name, login), name, witness);
    }
    for (const clientIdentifier of [...names.filter((name) => !isOneLevel(name)), "", "$SYS/#"]) {
      if (clientIdentifier === "" && version === 3) continue; // 3.1 has none
      const client = await broker.login("ann", { version, clientIdentifier });
      const filters = [`by/${clientIdentifier}/#`, "by/+/#", "by/#", "by/ann/#", "by//#"];
      const codes = await subscribed(client, filters);
      assert.ok(
        codes.every((code) => code >= 0x80),
        `${clientIdentifier}: ${codes}`,
      );
      await disconnect(client);
    }
  }
  assert.deepEqual(await takeMessages(witness), []);
});

test("attack: tokens whose subject or client identifier has wildcards widen nothing", async (context) => {
  const secretFile = await newFile(context, secret);
  const broker = await AttackedBroker.start(context, {
    yaml: `${adminYaml}${unguarded}  jwt: { secretFile: ${secretFile} }\n`,
  });
  const witness = await newWitness(broker);
  const key = await newKey("HS256");
  for (const name of names) {
    const token = await key.sign({ sub: name, rights });
    const login = { clientIdentifier: name, userName: name, password: Buffer.from(token) };
    await attack(await broker.login(undefined, login), name, witness);
  }
  for (const sub of ["", "a\0b", "\ud800", 7, null, ["ann"], { toString: "ann" }]) {
    const token = await key.sign({ sub: sub as string, rights: ["#"] });
    const { connack } = await broker.tryLogin(undefined, { password: Buffer.from(token) });
    assert.notEqual(connack.reasonCode, 0, JSON.stringify(sub));
  }
  assert.deepEqual(await takeMessages(witness), []);
});

/** The broker's TLS with a certificate of one's own, for a client that speaks plain MQTT. */
async function startTunnel(context: TestContext, options: tls.ConnectionOptions): Promise<string> {
  const server = net.createServer((near) => {
    const far = tls.connect(options);
    for (const socket of [near, far]) socket.on("error", () => undefined);
    near.pipe(far).pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => server.close());
  return `mqtt://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
}

test("attack: certificates whose common name has wildcards, slashes or $ widen nothing", async (context) => {
  const folder = new CertificateFolder(context);
  const authority = await TestAuthority.make();
  const { certFile, keyFile } = folder.writeIssued("server", await authority.issue("localhost"));
  const ca = folder.write("ca.crt", authority.certificate);
  const { broker, admin } = await AttackedBroker.startStored(context, {
    yaml: `listen:
  - mqtt://127.0.0.1:0
  - url: mqtts://127.0.0.1:0
    authentication: [certificate]
    tls: { cert: ${certFile}, key: ${keyFile}, ca: ${ca}, clientCertificates: required }
${adminYaml}`,
  });
  await addUsers(admin, [...names, "a, CN=admin"]);
  const witness = await newWitness(broker);
  for (const name of [...names, "a, CN=admin"]) {
    const issued = await authority.issue(`CN=${name.replaceAll(/[+#,=]/g, "\\$&")}`);
    const url = await startTunnel(context, {
      port: broker.process.ports[1],
      host: "127.0.0.1",
      ca: authority.certificate,
      cert: issued.certificate,
      key: issued.key,
      servername: "localhost",
      checkServerIdentity: () => undefined,
    });
    const client = await RawClient.open(url, 5);
    context.after(() => client.destroy());
    await client.connect({ clientIdentifier: name, userName: name });
    await attack(client, name, witness);
  }
  assert.deepEqual(await takeMessages(witness), []);
});
