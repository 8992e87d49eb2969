/** Connections that come to nothing, by mistake or on purpose: they cost little, for a short time, and a line in the log. */
import assert from "node:assert/strict";
import { connect as connectTcp, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { connectPeer, nextEvent, portOf, until } from "../../src/listeners/recording.ts";
import { openTls, shakeHands, type TlsListener } from "./tls-listener.ts";

const connect = (context: TestContext, { listener }: TlsListener): Promise<Socket> =>
  connectPeer(context, { host: "127.0.0.1", port: portOf(listener) });

async function closedAfter(peer: Socket): Promise<number> {
  const startedAt = performance.now();
  await nextEvent(peer.resume(), "close");
  return performance.now() - startedAt;
}

const urls = ["mqtts://127.0.0.1:0", "wss://127.0.0.1:0/mqtt"];
const clientHello = Buffer.from("160301020001000", "hex");

for (const url of urls) {
  for (const [name, bytes] of Object.entries({ nothing: "", "half a ClientHello": clientHello })) {
    test(`${url}: a handshake that stops after ${name} ends in bounded time`, async (context) => {
      const opened = await openTls(context, undefined, { url, limits: { connectSecondsMax: 0.3 } });
      const peer = await connect(context, opened);
      peer.write(bytes);
      const waited = await closedAfter(peer);
      assert.ok(waited >= 200 && waited < 3000, `waited ${waited} ms`);
      assert.equal(opened.acceptor.connections.length, 0);
      assert.equal(opened.log.lines.length, 1);
    });
  }

  test(`${url}: what is no TLS is refused, with one line for many and their number`, async (context) => {
    const opened = await openTls(context, undefined, { url });
    const garbage = [
      "GET / HTTP/1.1\r\n\r\n",
      "\x10\x0c\0\x04MQTT\x05\x02\0\0\0",
      "\0".repeat(40_000),
      "\x16\x03\x01\xff\xff",
    ];
    for (let round = 0; round < 20; round += 1) {
      for (const bytes of garbage) {
        const peer = await connect(context, opened);
        peer.end(Buffer.from(bytes, "latin1"));
        await closedAfter(peer);
      }
    }
    assert.equal(opened.log.told.length, 1);
    assert.match(
      opened.log.told[0],
      /^info .*"why":"TLS failed: it does not speak TLS \((?:http request|wrong version number)\)","times":1/,
    );
    assert.match(opened.log.lines.at(-1) ?? "", /"times":80\}$/);
    (await shakeHands(context, opened)).destroy();
  });

  test(`${url}: a probe that connects and goes is not worth a line`, async (context) => {
    const opened = await openTls(context, undefined, { url });
    const peer = await connect(context, opened);
    peer.end();
    await closedAfter(peer);
    const reset = await connect(context, opened);
    reset.resetAndDestroy();
    (await shakeHands(context, opened)).destroy();
    await opened.listener.close();
    assert.deepEqual(
      opened.log.told.filter((line) => !line.includes("wss")),
      [],
    );
  });

  test(`${url}: one connection more than connectionsMax on their way is closed at once, and room is room again`, async (context) => {
    const opened = await openTls(context, undefined, { url, limits: { connectionsMax: 3 } });
    const slow = await Promise.all([0, 1, 2].map(() => connect(context, opened)));
    for (let count = 0; count < 3; count += 1) {
      assert.ok((await closedAfter(await connect(context, opened))) < 1000);
    }
    assert.equal(opened.log.told.length, 1);
    assert.match(opened.log.told[0], /^warn a connection was closed at once.*"connectionsMax":3/);
    for (const one of slow) one.destroy();
    const again = await Promise.any([0, 1, 2, 3].map(() => retry(context, opened)));
    again.destroy();
  });
}

/** The listener hears of an end a moment after the client. */
async function retry(context: TestContext, opened: TlsListener): Promise<Socket> {
  await new Promise((resolve) => setTimeout(resolve, 100));
  return shakeHands(context, opened);
}

test("wss: a header beyond HTTP's bound gets 431, and a line too long as well", async (context) => {
  const opened = await openTls(context, undefined, { url: "wss://127.0.0.1:0/mqtt" });
  for (const bytes of [
    `GET /mqtt HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(20_000)}\r\n\r\n`,
    `GET /${"y".repeat(20_000)} HTTP/1.1\r\n`,
    `GET /mqtt HTTP/1.1\r\n${"a: b\r\n".repeat(5000)}\r\n`,
  ]) {
    const peer = await shakeHands(context, opened);
    peer.write(bytes);
    const [answer] = await nextEvent(peer, "data");
    assert.match(String(answer), /^HTTP\/1\.1 431 /);
    await until(() => peer.resume().closed, "the end");
  }
  assert.equal(opened.acceptor.connections.length, 0);
});

for (const [name, beginning] of Object.entries({
  nothing: "",
  "half a header": "GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websoc",
})) {
  test(`wss: an upgrade that stops after ${name} ends in bounded time`, async (context) => {
    const url = "wss://127.0.0.1:0/mqtt";
    const opened = await openTls(context, undefined, { url, limits: { connectSecondsMax: 0.4 } });
    const peer = await shakeHands(context, opened);
    if (beginning !== "") peer.write(beginning);
    const waited = await closedAfter(peer);
    assert.ok(waited < 3000, `waited ${waited} ms`);
    assert.match(opened.log.told.join(), /took too long/);
  });
}

test("wss: 10,000 connections that never finish are no more than connectionsMax at any time, and all end", async (context) => {
  const url = "wss://127.0.0.1:0/mqtt";
  const connectionsMax = 200;
  const limits = { connectionsMax, connectSecondsMax: 1 };
  const opened = await openTls(context, undefined, { url, limits });
  const port = portOf(opened.listener);
  let open = 0;
  let ended = 0;
  let mostOpen = 0;
  const total = 10_000;
  const begin = (): void => {
    const peer = connectTcp(port, "127.0.0.1", () => peer.write(clientHello));
    open += 1;
    peer.on("error", () => undefined);
    peer.resume().on("close", () => {
      open -= 1;
      ended += 1;
    });
  };
  const startedAt = performance.now();
  for (let begun = 0; begun < total; begun += 100) {
    for (let count = 0; count < 100; count += 1) begin();
    await until(() => open <= connectionsMax, "those that are too many to be closed");
    mostOpen = Math.max(mostOpen, open);
  }
  await until(() => ended === total, "all to end");
  context.diagnostic(`${Math.round(performance.now() - startedAt)} ms`);
  assert.ok(mostOpen <= connectionsMax);
  assert.ok(opened.log.told.length <= 6, opened.log.told.join("\n"));
  (await shakeHands(context, opened)).destroy();
});
