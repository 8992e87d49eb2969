/** haproxy before a real tserve, with PROXY v1 and v2: the broker knows the client's address, and health checks are quiet. */
import assert from "node:assert/strict";
import { connect as connectTcp } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import mqtt, { type IClientOptions } from "mqtt";
import { WebSocket } from "ws";
import { withoutHaproxy as skip, startHaproxy } from "./haproxy-process.ts";
import { Inbox } from "./inbox.ts";
import { SecuredProcess } from "./secured-process.ts";

const schemes = ["mqtt", "mqtts", "ws", "wss"] as const;
type Scheme = (typeof schemes)[number];

const from = "proxyProtocol: { from: [127.0.0.1] }";
const tls = "tls: { cert: localhost.crt, key: localhost.key }";
const yaml = [
  "allowAnonymous: true",
  "logLevel: debug",
  "listen:",
  `  - { url: mqtt://127.0.0.1:0, ${from} }`,
  `  - { url: mqtts://127.0.0.1:0, ${from}, ${tls} }`,
  `  - { url: ws://127.0.0.1:0/mqtt, ${from} }`,
  `  - { url: wss://127.0.0.1:0/mqtt, ${from}, ${tls} }`,
];

/** Where the client comes from: an address that haproxy itself has not. */
const localAddress = "127.0.0.5";

function clientOf(context: TestContext, server: SecuredProcess, scheme: Scheme, port: number) {
  const ca = server.authority.certificate;
  const options: IClientOptions = { reconnectPeriod: 0, clientId: `${scheme}-${port}` };
  const where = { host: "127.0.0.1", port, localAddress, servername: "localhost", ca };
  const openStream = () => (scheme === "mqtts" ? connectTls(where) : connectTcp(where));
  const openSocket = () => {
    const path = `${scheme}://localhost:${port}/mqtt`;
    return new WebSocket(path, "mqtt", { localAddress, family: 4, ca });
  };
  const client =
    scheme === "mqtt" || scheme === "mqtts"
      ? new mqtt.MqttClient(openStream, options)
      : mqtt.connect(`${scheme}://localhost:${port}/mqtt`, {
          ...options,
          createWebsocket: openSocket as never,
        });
  context.after(() => client.end(true));
  return client;
}

for (const version of [
  "send-proxy",
  "send-proxy-v2",
  "send-proxy-v2 proxy-v2-options crc32c,unique-id",
]) {
  test(`${version} over mqtt, mqtts, ws and wss`, { skip }, async (context) => {
    const server = await SecuredProcess.start(context, yaml);
    const forwards = schemes.map((scheme) => ({ to: server.port(scheme), options: version }));
    const ports = await startHaproxy(context, forwards);
    for (const [index, scheme] of schemes.entries()) {
      const client = clientOf(context, server, scheme, ports[index]);
      const inbox = new Inbox(client);
      await client.subscribeAsync(`home/${scheme}`, { qos: 1 });
      await client.publishAsync(`home/${scheme}`, Buffer.alloc(100_000, index), { qos: 1 });
      assert.equal((await inbox.waitFor(1))[0].payload.length, 100_000);
      await server.waitForLog(new RegExp(`"${scheme}-${ports[index]}".*"127\\.0\\.0\\.5:\\d+"`));
    }
  });
}

test("health checks of haproxy are no news", { skip }, async (context) => {
  const server = await SecuredProcess.start(context, yaml);
  const forwards = schemes.flatMap((scheme) => {
    const checks = [
      "send-proxy-v2 check inter 50ms",
      "send-proxy-v2 check check-send-proxy inter 50ms",
    ];
    return checks.map((options) => ({ to: server.port(scheme), options }));
  });
  await startHaproxy(context, forwards);
  const before = server.log;
  await sleep(1000);
  const told = server.log.slice(before.length);
  assert.doesNotMatch(told, /"level":"(?:info|warn|error)"/);
});

test("who does not come through the proxy is refused", async (context) => {
  const server = await SecuredProcess.start(context, yaml);
  const client = clientOf(context, server, "mqtt", server.port("mqtt"));
  client.on("error", () => undefined);
  await new Promise<void>((resolve) => client.once("close", () => resolve()));
  await server.waitForLog(/"level":"warn".*"127\.0\.0\.5:\d+".*none of the proxies/);
});
