/** Connections that are opened for their cost alone, against a real tserve. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { expectPublish, publish, subscribed } from "../conformance/packets.ts";
import { Crowd } from "../overload/crowd.ts";
import { AttackedBroker } from "./attacked-broker.ts";

const crowdSize = 9900;

/** Of another process. */
function residentMegabytes(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}

function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

const half = Buffer.from("101600044d5154540502000000000b6e6f7420746865", "hex"); // CONNECT without its end

test("attack: 10,000 connections without CONNECT, silent or with half of one, cost bounded memory, hinder nobody, and are gone after connectSecondsMax", async (context) => {
  const yaml = "limits: { connectSecondsMax: 6 }\n";
  const broker = await AttackedBroker.start(context, { yaml });
  const pid = broker.process.running.child.pid ?? 0;
  const subscriber = await broker.login(undefined, { clientIdentifier: "subscriber" });
  await subscribed(subscriber, "t");
  const before = { megabytes: residentMegabytes(pid), files: openFiles(pid) };
  const opened = Crowd.open(context, broker.process.port, crowdSize, (index) =>
    index % 2 ? half : undefined,
  );
  let isOpen = false;
  void opened.then(() => {
    isOpen = true;
  });
  let slowest = 0;
  for (let index = 0; !isOpen || index < 10; index++) {
    const begin = performance.now();
    const publisher = await broker.login(undefined, { clientIdentifier: "publisher" });
    publisher.send(publish("t", `${index}`));
    await expectPublish(subscriber, { payload: `${index}` });
    publisher.destroy();
    slowest = Math.max(slowest, performance.now() - begin);
  }
  const crowd = await opened;
  const grown = residentMegabytes(pid) - before.megabytes;
  context.diagnostic(
    `${grown.toFixed(0)} MB for ${crowdSize}, slowest login ${slowest.toFixed(0)} ms`,
  );
  assert.ok(grown < 200, `${grown} MB`);
  assert.ok(await crowd.until(({ closed }) => closed === crowdSize), `${crowd.closed} closed`);
  assert.deepEqual([...crowd.answers().keys()], [""], "nothing is said to who says nothing");
  for (let attempt = 0; openFiles(pid) > before.files + 5 && attempt < 200; attempt++)
    await sleep(20);
  assert.ok(openFiles(pid) <= before.files + 5, `${openFiles(pid)} open files`);
  await subscriber.ping();
});

/** Sends `bytes` one at a time for ever; answers the milliseconds until it is closed. */
async function trickle(port: number, first: Buffer, byte: string, every: number): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  const begin = performance.now();
  socket.on("error", () => undefined);
  socket.resume();
  socket.write(first);
  const timer = setInterval(() => socket.write(byte), every);
  await new Promise<void>((resolve) => socket.on("close", () => resolve()));
  clearInterval(timer);
  return performance.now() - begin;
}

test("attack: half packets that go on byte by byte are ended in bounded time: before CONNECT, in a PUBLISH, in a WebSocket's upgrade", async (context) => {
  const yaml = `listen: ["mqtt://127.0.0.1:0", "ws://127.0.0.1:0/mqtt"]
limits: { connectSecondsMax: 2, packetSecondsMax: 2 }
`;
  const broker = await AttackedBroker.start(context, { yaml });
  const [port, webPort] = broker.process.ports;
  const connected = Buffer.from("101000044d5154540502000000000374686f", "hex");
  const publishing = Buffer.concat([connected, Buffer.from("30ffff010001", "hex")]);
  const upgrade = Buffer.from("GET /mqtt HTTP/1.1\r\nHost: x\r\nX: ");
  const milliseconds = await Promise.all([
    trickle(port, Buffer.from("10ffff7f", "hex"), "\0", 50),
    trickle(port, publishing, "a", 50),
    trickle(webPort, upgrade, "a", 50),
    trickle(webPort, Buffer.from("G"), "E", 50),
  ]);
  for (const one of milliseconds) assert.ok(one < 8000, `${milliseconds} ms`);
});

test("attack: headers and compression that would burst a WebSocket's upgrade are refused", async (context) => {
  const yaml = 'listen: ["ws://127.0.0.1:0/mqtt"]\n';
  const broker = await AttackedBroker.start(context, { yaml });
  const pid = broker.process.running.child.pid ?? 0;
  const before = residentMegabytes(pid);
  const start = "GET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
  const key = "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n";
  const ask = async (request: string): Promise<string> => {
    const socket = connect(broker.process.port, "127.0.0.1");
    context.after(() => socket.destroy());
    socket.on("error", () => undefined);
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.write(request);
    const ended = new Promise((resolve) => socket.on("close", resolve));
    await Promise.race([ended, new Promise((resolve) => socket.once("data", resolve))]);
    return Buffer.concat(chunks).toString();
  };
  const bombs = [
    `${start}X: ${"a".repeat(10_000_000)}\r\n\r\n`,
    start + "a: b\r\n".repeat(100_000),
    `GET /${"a".repeat(1_000_000)} HTTP/1.1\r\n\r\n`,
    `${start}${key}Sec-WebSocket-Protocol: ${"mqtt,".repeat(1_000_000)}\r\n\r\n`,
  ];
  for (const bomb of bombs) {
    const answer = await ask(bomb);
    assert.doesNotMatch(answer, /^HTTP\/1\.1 101/);
  }
  for (const parameters of ["", "; client_max_window_bits; server_no_context_takeover"]) {
    const extensions = `Sec-WebSocket-Extensions: permessage-deflate${parameters}\r\n`;
    const answer = await ask(`${start}${key}Sec-WebSocket-Protocol: mqtt\r\n${extensions}\r\n`);
    assert.match(answer, /^HTTP\/1\.1 101/);
    assert.doesNotMatch(answer, /extensions/i, "nothing is ever decompressed");
  }
  const protocols = Array.from({ length: 2000 }, (_, index) => `p${index}`).join(", ");
  const refused = await ask(`${start}${key}Sec-WebSocket-Protocol: ${protocols}\r\n\r\n`);
  assert.match(refused, /^HTTP\/1\.1 4/);
  const grown = residentMegabytes(pid) - before;
  assert.ok(grown < 100, `${grown} MB`);
});
