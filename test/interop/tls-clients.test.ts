/** Other people's TLS against a real tserve: openssl, mosquitto's clients, MQTT.js over wss. */
import assert from "node:assert/strict";
import path from "node:path";
import { type TestContext, test } from "node:test";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { withoutMosquittoClients as skip } from "../cli/tserve-process.ts";
import { Inbox } from "./inbox.ts";
import { SecuredProcess } from "./secured-process.ts";

const tpublish = path.join(import.meta.dirname, "../../src/cli/tpublish.ts");
const own = "cert: localhost.crt, key: localhost.key";
const yaml = [
  "allowAnonymous: true",
  "logLevel: debug",
  "listen:",
  `  - { url: mqtts://127.0.0.1:0, tls: { ${own}, more: [{ cert: other.crt, key: other.key }] } }`,
  `  - { url: wss://127.0.0.1:0/mqtt, tls: { ${own} } }`,
];
const certificateYaml = [
  "logLevel: debug",
  "listen:",
  "  - url: mqtts://127.0.0.1:0",
  `    tls: { ${own}, ca: ca.crt, crl: ca.crl, clientCertificates: required }`,
  "authentication: { certificate: { userName: cn } }",
  "users: [{ name: ada, rights: home/# }]",
];

function start(context: TestContext): Promise<SecuredProcess> {
  return SecuredProcess.start(context, yaml, async ({ authority, folder }) => {
    const altNames = [{ type: "dns", value: "other.example" } as const];
    folder.writeIssued("other", await authority.issue("other", { altNames }));
  });
}

async function openssl(server: SecuredProcess, ...options: string[]): Promise<string> {
  const where = ["-connect", `127.0.0.1:${server.port("mqtts")}`];
  const trust = ["-CAfile", server.folder.path("ca.crt")];
  const all = ["s_client", ...where, ...trust, "-no_ign_eof", ...options];
  const { stdout, stderr } = await server.run("openssl", all, "Q\n");
  return stdout + stderr;
}

test("openssl s_client: names, versions, ALPN, tickets", async (context) => {
  const server = await start(context);
  const named = await openssl(server, "-servername", "localhost", "-verify_hostname", "localhost");
  assert.match(named, /subject=CN = localhost[\s\S]*Verify return code: 0 \(ok\)/);
  assert.match(named, /TLSv1\.3/);
  const other = await openssl(server, "-servername", "other.example", "-tls1_2");
  assert.match(other, /subject=CN = other[\s\S]*TLSv1\.2[\s\S]*Secure Renegotiation IS supported/);
  assert.match(await openssl(server, "-noservername"), /subject=CN = localhost/);
  const weak = ["-cipher", "ALL:@SECLEVEL=0"];
  for (const version of ["-tls1", "-tls1_1"]) {
    const old = await openssl(server, version, ...weak);
    assert.match(old, /alert protocol version|no protocols available/);
    assert.match(old, /no peer certificate available/);
  }
  assert.match(await openssl(server, "-alpn", "mqtt"), /ALPN protocol: mqtt/);
  assert.match(await openssl(server, "-alpn", "h2,mqtt"), /ALPN protocol: mqtt/);
  assert.match(await openssl(server), /No ALPN negotiated/);
  assert.match(await openssl(server, "-alpn", "h2"), /no application protocol/);
  const reconnected = await openssl(server, "-tls1_2", "-reconnect");
  assert.equal(reconnected.match(/^Reused, TLSv1\.2/gm)?.length, 5);
  assert.doesNotMatch(
    await openssl(server, "-cipher", "NULL:RC4:DES:3DES:EXPORT:aNULL", "-tls1_2"),
    /subject=/,
  );
});

test("mosquitto_pub and mosquitto_sub over TLS with their own certificate; a revoked one is cut off", {
  skip,
}, async (context) => {
  const server = await SecuredProcess.start(
    context,
    certificateYaml,
    async ({ authority, folder }) => {
      folder.writeIssued("ada", await authority.issue("ada"));
      folder.writeIssued("late", await authority.issue("ada", { days: -1 }));
      folder.write("ca.crl", await authority.revoke([]));
    },
  );
  const { folder, authority } = server;
  const where = [
    "-h",
    "localhost",
    "-p",
    `${server.port("mqtts")}`,
    "--cafile",
    folder.path("ca.crt"),
  ];
  const as = (name: string) => {
    return [...where, "--cert", folder.path(`${name}.crt`), "--key", folder.path(`${name}.key`)];
  };
  const subscriber = server.begin("mosquitto_sub", [
    ...as("ada"),
    "-t",
    "home/#",
    "-C",
    "1",
    "-W",
    "20",
    "-q",
    "1",
  ]);
  await server.waitForLog(/"subscribed"/);
  const publish = ["-t", "home/lamp", "-m", "on", "-q", "1"];
  const published = await server.run("mosquitto_pub", [...as("ada"), ...publish]);
  assert.deepEqual([published.code, published.stderr], [0, ""]);
  assert.equal((await subscriber.ended).stdout, "on\n");
  const stranger = [...where.slice(0, -1), folder.path("ada.crt")];
  for (const args of [where, as("late"), stranger]) {
    assert.notEqual((await server.run("mosquitto_pub", [...args, ...publish])).code, 0);
  }
  await server.waitForLog(/it has shown no certificate/);
  const way = [
    "-L",
    `mqtts://localhost:${server.port("mqtts")}`,
    "--cafile",
    folder.path("ca.crt"),
  ];
  const without = await server.run(process.execPath, [tpublish, ...way, ...publish]);
  assert.match(without.stderr, /before it answered: does it want a client certificate/);
  await server.waitForLog(/CERT_HAS_EXPIRED/);
  // It closes right behind its alert, while more from the server is on its way: that resets the connection, and the
  // alert may be lost. Then there is no more to say than that it went.
  await server.waitForLog(
    /TLS failed: it does not trust the certificate \(tlsv1 alert unknown ca\)|it ended before it was ready/,
  );
  const revoked = await authority.issue("ada");
  folder.writeIssued("revoked", revoked);
  assert.equal((await server.run("mosquitto_pub", [...as("revoked"), ...publish])).code, 0);
  folder.write("ca.crl", await authority.revoke([revoked]));
  await server.waitForLog(/serves the renewed certificates/);
  assert.notEqual((await server.run("mosquitto_pub", [...as("revoked"), ...publish])).code, 0);
  await server.waitForLog(/CERT_REVOKED/);
});

function connect(
  context: TestContext,
  server: SecuredProcess,
  options: IClientOptions,
): Promise<MqttClient> {
  const url = `wss://localhost:${server.port("wss")}/mqtt`;
  const client = mqtt.connect(url, {
    reconnectPeriod: 0,
    ca: server.authority.certificate,
    ...options,
  });
  context.after(() => client.end(true));
  return new Promise((resolve, reject) => {
    client.once("connect", () => resolve(client));
    client.once("error", reject);
  });
}

for (const protocolVersion of [4, 5] as const) {
  test(`MQTT.js over wss, protocol ${protocolVersion}, before and after the certificate is renewed`, async (context) => {
    const server = await start(context);
    const client = await connect(context, server, { protocolVersion });
    const inbox = new Inbox(client);
    await client.subscribeAsync("home/#", { qos: 1 });
    await client.publishAsync("home/big", Buffer.alloc(200_000, 7), { qos: 1 });
    const [{ payload }] = await inbox.waitFor(1);
    assert.deepEqual(payload, Buffer.alloc(200_000, 7));
    const altNames = [{ type: "dns", value: "localhost" } as const];
    server.folder.writeIssued("localhost", await server.authority.issue("localhost", { altNames }));
    await server.waitForLog(/serves the renewed certificates|good again/);
    const second = await connect(context, server, { protocolVersion });
    await second.publishAsync("home/lamp", "on", { qos: 2 });
    assert.equal((await inbox.waitFor(2))[1].payload.toString(), "on");
  });
}

test("a client that does not know the CA goes, and the log tells it", async (context) => {
  const server = await start(context);
  await assert.rejects(
    connect(context, server, { ca: [] }),
    /unable to (?:verify|get)|self-signed/,
  );
  await server.waitForLog(/refused before MQTT began/);
});
