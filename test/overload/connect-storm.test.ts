/** Thousands connect at once, or only open sockets: others go on, and the memory comes back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodePacket, ProtocolVersion } from "../../src/codec/index.ts";
import { connectPacket } from "../conformance/harness/index.ts";
import { Crowd } from "./crowd.ts";
import { OverloadedBroker, Pair } from "./overloaded-broker.ts";

const { v3_1_1 } = ProtocolVersion;
const accepted = "20020000";
const unavailable = "20020003";

/** A CONNECT of 3.1.1, whose CONNACK has four bytes. */
function connectBytes(index: number, keepAliveSeconds = 0): Buffer {
  const packet = connectPacket(v3_1_1, { clientIdentifier: `crowd-${index}`, keepAliveSeconds });
  return encodePacket(packet, v3_1_1);
}

test("5,000 clients that connect at once are all accepted, and others go on", {
  timeout: 60_000,
}, async (context) => {
  const broker = await OverloadedBroker.start(context);
  const pair = await Pair.start(broker, 1);
  const crowd = await Crowd.open(context, broker.tcpPort, 5000, connectBytes);
  assert.ok(await crowd.until(({ answered }) => answered === 5000), `${crowd.answered} answers`);
  assert.deepEqual(crowd.answers(), new Map([[accepted, 5000]]));
  const grown = await broker.grownMegabytes();
  await pair.stop();
  crowd.close();
  await broker.waitForFigure("clients/connected", (count) => count <= 3);
  context.diagnostic(`${grown.toFixed(0)} MB grown, slowest of the pair ${pair.slowest} ms`);
  assert.ok(grown < 150, `${grown} MB`);
});

test("a storm beyond connectionsMax is refused to the last, and others go on", {
  timeout: 60_000,
}, async (context) => {
  const broker = await OverloadedBroker.start(context, { connectionsMax: 1000 });
  const pair = await Pair.start(broker, 1);
  const crowd = await Crowd.open(context, broker.tcpPort, 5000, connectBytes);
  assert.ok(await crowd.until(({ answered }) => answered === 5000), `${crowd.answered} answers`);
  const answers = crowd.answers();
  const refused = answers.get(unavailable) ?? 0;
  assert.equal(refused + (answers.get(accepted) ?? 0), 5000);
  assert.ok(refused >= 4000, `${refused} refused`);
  assert.ok(await crowd.until(({ closed }) => closed === refused), `${crowd.closed} closed`);
  const grown = await broker.grownMegabytes();
  await pair.stop();
  context.diagnostic(`${grown.toFixed(0)} MB grown`);
  assert.ok(grown < 120, `${grown} MB`);
  crowd.close();
  const hits = await broker.waitForFigure("limits/connectionsMax", (count) => count >= refused);
  assert.equal(hits, refused);
});

test("1,000 clients that send CONNECT and nothing else are ended by their keep alive", {
  timeout: 60_000,
}, async (context) => {
  const broker = await OverloadedBroker.start(context);
  const pair = await Pair.start(broker, 1);
  const crowd = await Crowd.open(context, broker.tcpPort, 1000, (index) => connectBytes(index, 2));
  assert.ok(await crowd.until(({ answered }) => answered === 1000), `${crowd.answered} answers`);
  assert.ok(crowd.closed < 1000, "not at once");
  const grown = await broker.grownMegabytes();
  assert.ok(await crowd.until(({ closed }) => closed === 1000, 15_000), `${crowd.closed} closed`);
  await pair.stop();
  context.diagnostic(`${grown.toFixed(0)} MB grown`);
  assert.ok(grown < 80, `${grown} MB`);
  await broker.waitForFigure("clients/connected", (count) => count <= 3);
});

test("5,000 sockets that send nothing or half a CONNECT are closed after connectSecondsMax", {
  timeout: 60_000,
}, async (context) => {
  const broker = await OverloadedBroker.start(context, { connectSecondsMax: 3 });
  const pair = await Pair.start(broker, 1);
  const half = connectBytes(0).subarray(0, 10);
  const greeting = (index: number) => (index % 2 === 0 ? undefined : half);
  const crowd = await Crowd.open(context, broker.tcpPort, 5000, greeting);
  const grown = await broker.grownMegabytes();
  assert.ok(await crowd.until(({ closed }) => closed === 5000, 30_000), `${crowd.closed} closed`);
  assert.deepEqual(crowd.answers(), new Map([["", 5000]]));
  await pair.stop();
  const hits = await broker.waitForFigure("limits/connectSecondsMax", (count) => count >= 5000);
  context.diagnostic(`${grown.toFixed(0)} MB grown, slowest of the pair ${pair.slowest} ms`);
  assert.equal(hits, 5000);
  assert.ok(grown < 120, `${grown} MB`);
});
