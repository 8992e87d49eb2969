/** The harness itself: its waits end, and say what came. */
import assert from "node:assert/strict";
import { PacketType } from "../../src/codec/index.ts";
import { Bystander, conformanceTest, everyVersion, onlyV3_1_1 } from "./harness/index.ts";

conformanceTest("a client connects and pings", { versions: everyVersion }, async (world) => {
  const client = await world.connect();
  assert.equal(client.connack?.sessionPresent, false);
  await client.ping();
  client.send("c000");
  await client.expectBytes("d000");
  await client.expectSilence(20);
});

conformanceTest("a wrong expectation shows what came", { versions: onlyV3_1_1 }, async (world) => {
  const client = await world.connect();
  client.send("c000");
  await assert.rejects(client.expectPacket(PacketType.puback), /unexpected packet PINGRESP d000/);
  client.send("c000");
  await assert.rejects(client.expectBytes("d001"), /came PINGRESP d000/);
  client.send("c000");
  await assert.rejects(client.expectClosed(), /came PINGRESP d000/);
  await assert.rejects(client.expectSilence(1), /came PINGRESP d000/);
  await client.expectBytes("d000d000");
  client.send("e000");
  await assert.rejects(client.expectBytes("d0"), /came nothing; connection over/);
  await assert.rejects(client.expectSilence(1), /connection over/);
});

conformanceTest("time passes only by hand", { versions: onlyV3_1_1 }, async (world) => {
  const client = await world.connect({ keepAliveSeconds: 10 });
  world.clock.advanceSeconds(14);
  await client.expectSilence(20);
  world.clock.advanceSeconds(1);
  await client.expectClosed();
});

conformanceTest("a bystander stands by", { versions: onlyV3_1_1 }, async (world) => {
  const bystander = await Bystander.start(world);
  await bystander.expectUndisturbed();
  await bystander.expectUndisturbed();
  world.broker.publish("bystander/topic", "noise");
  await assert.rejects(bystander.expectUndisturbed());
});
