/** A subscriber that does not read: QoS 0 for it is dropped and counted, and only for it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PacketType } from "../../src/codec/index.ts";
import { transports } from "../conformance/harness/index.ts";
import { publish, subscribed } from "../conformance/packets.ts";
import { Flood, OverloadedBroker, Pair } from "./overloaded-broker.ts";

for (const transport of transports) {
  test(`a slow reader costs bounded memory, others go on (${transport})`, {
    timeout: 30_000,
  }, async (context) => {
    const broker = await OverloadedBroker.start(context);
    const reader = await broker.connect("slow-reader", { transport });
    await subscribed(reader, "flood");
    reader.pause();
    const pair = await Pair.start(broker);
    const flood = await Flood.start(context, broker);
    const sent = await flood.write(publish("flood", "x".repeat(1000)), 3000);
    const grown = await broker.grownMegabytes();
    const dropped = await broker.waitForFigure(
      "publish/messages/dropped/slowReader",
      Math.floor(sent / 2),
    );
    await pair.stop();
    context.diagnostic(`${sent} sent, ${dropped} dropped, ${grown.toFixed(0)} MB grown`);
    assert.ok(sent > 50_000, `only ${sent} sent: that is no flood`);
    assert.ok(grown < 60, `${grown} MB`);
    reader.resume();
    // What it gets now are whole packets: the RawClient would fail on anything else.
    let received = 0;
    for (; received < 100; received++) await reader.expectPacket(PacketType.publish);
    assert.equal(received, 100);
  });
}
