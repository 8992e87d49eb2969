/** The ways to a broker: TLS, WebSocket with and without it, Unix socket; and whom TLS trusts. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { makeCertificates } from "./certificates.ts";
import { findFreePort, Mosquitto, withoutMosquitto } from "./mosquitto.ts";
import { run, startSubscribed } from "./programs.ts";

const skip = withoutMosquitto;
const folder = mkdtempSync(path.join(tmpdir(), "certificates-"));
const file = (name: string) => path.join(folder, name);
let broker: Mosquitto;
const ports = { tls: 0, mutual: 0, websocket: 0, secureWebsocket: 0 };

before(async () => {
  if (skip) return;
  makeCertificates(folder);
  for (const name of Object.keys(ports) as (keyof typeof ports)[]) {
    ports[name] = await findFreePort();
  }
  const certificates = [`certfile ${file("server.crt")}`, `keyfile ${file("server.key")}`];
  broker = await Mosquitto.start([
    "listener PORT 127.0.0.1",
    "allow_anonymous true",
    `listener 0 ${file("socket")}`,
    ...[`listener ${ports.tls} 127.0.0.1`, ...certificates],
    ...[`listener ${ports.mutual} 127.0.0.1`, ...certificates],
    ...["require_certificate true", `cafile ${file("ca.crt")}`],
    ...[`listener ${ports.websocket} 127.0.0.1`, "protocol websockets"],
    ...[`listener ${ports.secureWebsocket} 127.0.0.1`, "protocol websockets", ...certificates],
  ]);
});
after(async () => {
  await broker?.stop();
  rmSync(folder, { recursive: true });
});

/** Publishes by the way that `args` name, to a subscriber by the same way. */
async function pass(topic: string, args: readonly string[]): Promise<void> {
  const subscriber = await startSubscribed([...args, "-t", topic, "-C", "1", "-W", "20"]);
  const ended = await run("tpublish", [...args, "-t", topic, "-m", "through", "-q", "1"]);
  assert.deepEqual(ended, { code: 0, stdout: "", stderr: "" });
  assert.equal((await subscriber.ended).stdout, "through\n");
}

const publish = (...args: string[]) => run("tpublish", ["-t", "a", "-m", "x", ...args]);

test("mqtts:// and --cafile", { skip }, async () => {
  await pass("t/mqtts", ["-L", `mqtts://localhost:${ports.tls}`, "--cafile", file("ca.crt")]);
});

test("--cafile alone means TLS, by -h and -p", { skip }, async () => {
  await pass("t/cafile", ["-h", "localhost", "-p", String(ports.tls), "--cafile", file("ca.crt")]);
});

test("--capath takes the certificates of a folder", { skip }, async () => {
  await pass("t/capath", ["-h", "localhost", "-p", String(ports.tls), "--capath", folder]);
});

test("--cert and --key show who we are", { skip }, async () => {
  const there = ["-h", "localhost", "-p", String(ports.mutual), "--cafile", file("ca.crt")];
  await pass("t/cert", [...there, "--cert", file("client.crt"), "--key", file("client.key")]);
  const without = await publish(...there);
  assert.equal(without.code, 1);
});

test("-A with an address that is not ours is refused, whatever the way", { skip }, async () => {
  for (const url of [
    `mqtt://localhost:${broker.port}`,
    `mqtts://localhost:${ports.tls}`,
    `ws://localhost:${ports.websocket}`,
  ]) {
    const ended = await publish("-L", url, "--insecure", "-A", "203.0.113.1");
    assert.equal(ended.code, 1, url);
    assert.match(ended.stderr, /not an address of this machine/, url);
  }
});

test("without its CA the broker is not trusted, and the way out is told", { skip }, async () => {
  const ended = await publish("-L", `mqtts://localhost:${ports.tls}`);
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /certificate is not trusted: give its CA with --cafile\n$/);
});

test("another host name is refused; --insecure with a CA lets it pass", { skip }, async () => {
  const there = ["-h", "127.0.0.1", "-p", String(ports.tls), "--cafile", file("ca.crt")];
  const refused = await publish(...there);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /is for another host name/);
  await pass("t/insecure", [...there, "--insecure"]);
});

test("--insecure with the wrong CA does not let it pass; without one it does", {
  skip,
}, async () => {
  const there = ["-h", "127.0.0.1", "-p", String(ports.tls), "--insecure"];
  const wrong = await publish(...there, "--cafile", file("server.crt"));
  assert.equal(wrong.code, 1);
  assert.equal((await publish(...there)).code, 0);
});

test("TLS to a port without TLS is told as such", { skip }, async () => {
  const ended = await publish("-L", `mqtts://127.0.0.1:${broker.port}`, "-W", "5");
  assert.equal(ended.code, 1);
});

test("ws://", { skip }, async () => {
  await pass("t/ws", ["-L", `ws://127.0.0.1:${ports.websocket}/mqtt`]);
});

test("ws:// with MQTT 3.1 and 5", { skip }, async () => {
  await pass("t/ws/31", ["-L", `ws://127.0.0.1:${ports.websocket}`, "-V", "31"]);
  await pass("t/ws/5", ["-L", `ws://127.0.0.1:${ports.websocket}`, "-V", "5"]);
});

test("wss:// and --cafile", { skip }, async () => {
  const url = `wss://localhost:${ports.secureWebsocket}/mqtt`;
  await pass("t/wss", ["-L", url, "--cafile", file("ca.crt")]);
  const untrusted = await publish("-L", url);
  assert.equal(untrusted.code, 1);
  assert.match(untrusted.stderr, /certificate is not trusted/);
});

test("10,000 lines over ws:// arrive, all and in order", { skip }, async () => {
  const way = ["-L", `ws://127.0.0.1:${ports.websocket}`, "-t", "t/ws/lines"];
  const lines = Array.from({ length: 10_000 }, (_, index) => `${index}\n`).join("");
  const subscriber = await startSubscribed([...way, "-C", "10000", "-W", "30"]);
  assert.equal((await run("tpublish", [...way, "-l"], { stdin: lines })).code, 0);
  assert.equal((await subscriber.ended).stdout, lines);
});

test("unix:// and --unix", { skip }, async () => {
  await pass("t/unix", ["-L", `unix://${file("socket")}`]);
  await pass("t/unix", ["--unix", file("socket")]);
});

test("a Unix socket that is not there is told as such", async () => {
  const ended = await publish("--unix", "/nowhere/socket");
  assert.deepEqual([ended.code, ended.stdout], [1, ""]);
  assert.equal(ended.stderr, "tpublish: unix:///nowhere/socket: no such file\n");
});

test("nobody listening: one line, and 1", async () => {
  const port = String(await findFreePort());
  for (const name of ["tpublish", "tsubscribe"] as const) {
    const message = name === "tpublish" ? ["-m", "x"] : [];
    const ended = await run(name, ["-h", "127.0.0.1", "-p", port, "-t", "a", ...message]);
    assert.deepEqual(ended, {
      code: 1,
      stdout: "",
      stderr: `${name}: mqtt://127.0.0.1:${port}: connection refused: is a broker listening there?\n`,
    });
  }
});

test("a host that does not exist: one line, and 1", async () => {
  const ended = await publish("-h", "no-such-host.invalid");
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /^tpublish: mqtt:\/\/no-such-host\.invalid:1883: .*host name.*\n$/);
});
