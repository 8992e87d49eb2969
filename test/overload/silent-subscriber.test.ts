/** A subscriber that reads and never acknowledges: its queue fills to its limit, the rest is dropped and counted. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { publish, subscribed } from "../conformance/packets.ts";
import { Flood, OverloadedBroker, Pair } from "./overloaded-broker.ts";

for (const { size, kind } of [
  { size: 100, kind: "small" },
  { size: 100_000, kind: "large" },
]) {
  test(`a subscriber that never acknowledges costs bounded memory, others go on (${kind} messages)`, {
    timeout: 30_000,
  }, async (context) => {
    const broker = await OverloadedBroker.start(context);
    const silent = await Flood.start(context, broker, "silent", { sessionExpiryInterval: 3600 });
    await silent.subscribe("flood", 1);
    const pair = await Pair.start(broker);
    const flood = await Flood.start(context, broker);
    const sent = await flood.write(publish("flood", "x".repeat(size), { qos: 1 }), 3000);
    const grown = await broker.grownMegabytes();
    const dropped = await broker.waitForFigure("publish/messages/dropped/queueFull", 1);
    await pair.stop();
    context.diagnostic(`${sent} sent, ${dropped} dropped, ${grown.toFixed(0)} MB grown`);
    assert.ok(sent > 500, `only ${sent} sent: that is no flood`);
    assert.ok(grown < 110, `${grown} MB`);
  });
}

test("a session that is away costs bounded memory", { timeout: 30_000 }, async (context) => {
  const broker = await OverloadedBroker.start(context);
  const fields = {
    cleanStart: false,
    properties: { sessionExpiryInterval: 3600 },
  };
  const subscriber = await broker.connect("away", fields);
  await subscribed(subscriber, { filter: "flood", qos: 2 });
  subscriber.send("e000");
  await subscriber.expectClosed();
  const pair = await Pair.start(broker);
  const flood = await Flood.start(context, broker);
  const sent = await flood.write(publish("flood", "x".repeat(10_000), { qos: 1 }), 2000);
  const grown = await broker.grownMegabytes();
  const dropped = await broker.waitForFigure("publish/messages/dropped/queueFull", 1);
  await pair.stop();
  context.diagnostic(`${sent} sent, ${dropped} dropped, ${grown.toFixed(0)} MB grown`);
  assert.ok(sent > 2500, `only ${sent} sent: that is no flood`);
  assert.ok(grown < 90, `${grown} MB`);
});
