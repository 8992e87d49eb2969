/** Publishers faster than everything: none is served at the cost of memory or of others, and no loss is silent. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodePacket } from "../../src/codec/index.ts";
import { publish } from "../conformance/packets.ts";
import { Flood, OverloadedBroker, Pair } from "./overloaded-broker.ts";

test("QoS 0 as fast as it goes: what was sent was delivered or counted as dropped", {
  timeout: 30_000,
}, async (context) => {
  const broker = await OverloadedBroker.start(context);
  const reader = await Flood.start(context, broker, "reader");
  await reader.subscribe("flood");
  const pair = await Pair.start(broker);
  const packet = publish("flood", "x".repeat(200));
  const floods = [
    await Flood.start(context, broker, "flood-1"),
    await Flood.start(context, broker, "flood-2"),
  ];
  const counts = await Promise.all(floods.map((flood) => flood.write(packet, 2000)));
  const sent = counts.reduce((sum, count) => sum + count, 0);
  const grown = await broker.grownMegabytes();
  await pair.stop();
  await broker.waitForFigure("publish/messages/received", sent);
  const dropped = await broker.waitForFigure("publish/messages/dropped/slowReader", 0);
  const size = encodePacket(packet, 5).length;
  await reader.waitForBytes((sent - dropped) * size);
  context.diagnostic(`${sent} sent, ${dropped} dropped, ${grown.toFixed(0)} MB grown`);
  assert.equal(reader.bytesRead / size, sent - dropped);
  assert.ok(sent > 50_000, `only ${sent} sent: that is no flood`);
  assert.ok(grown < 100, `${grown} MB`);
});

test("a publisher that does not read its acknowledgements is not read any more", {
  timeout: 30_000,
}, async (context) => {
  const broker = await OverloadedBroker.start(context);
  const pair = await Pair.start(broker);
  const flood = await Flood.start(context, broker);
  flood.stopReading();
  const sent = await flood.write(publish("nobody", "", { qos: 1 }), 4000);
  const grown = await broker.grownMegabytes();
  const received = await broker.waitForFigure("publish/messages/received", 1);
  await pair.stop();
  context.diagnostic(`${sent} sent, ${received} received, ${grown.toFixed(0)} MB grown`);
  assert.ok(flood.isStuck, "its socket takes no more");
  assert.ok(grown < 60, `${grown} MB`);
});
