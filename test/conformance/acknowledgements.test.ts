/** PUBACK, PUBREC, PUBREL, PUBCOMP: their identifiers, codes and layout (5.0, sections 3.4 to 3.7). */
import { PacketType } from "../../src/codec/index.ts";
import { ReasonCode } from "../../src/index.ts";
import { conformanceTest, everyVersion, onlyV3, onlyV3_1_1, onlyV5 } from "./harness/index.ts";
import {
  expectAcknowledgement,
  expectPublish,
  persistent,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  subscribed,
} from "./packets.ts";

conformanceTest(
  "5.0 [MQTT-2.2.1-5] 3.1.1 [MQTT-2.3.1-6] acknowledgements bear the identifier of their PUBLISH",
  { versions: everyVersion },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "t");
    const client = await world.connect();
    for (const packetIdentifier of [1, 256, 65_535]) {
      const hexadecimal = packetIdentifier.toString(16).padStart(4, "0");
      client.send(publish("t", "", { qos: 1, packetIdentifier }));
      await client.expectBytes(`40 02 ${hexadecimal}`);
      client.send(publish("t", "", { qos: 2, packetIdentifier }), `62 02 ${hexadecimal}`);
      await client.expectBytes(`50 02 ${hexadecimal} 70 02 ${hexadecimal}`);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.6.2-1] [MQTT-3.7.2-1] PUBREC and PUBREL for an unknown identifier are answered with 0x92",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect();
    client.send("50 02 0063");
    await client.expectBytes("62 03 0063 92");
    client.send("62 02 0063");
    await client.expectBytes("70 03 0063 92");
    await client.ping();
  },
);

conformanceTest(
  "3.1.1 [MQTT-4.3.3-1] [MQTT-4.3.3-2] PUBREC and PUBREL for an unknown identifier go on as for a known one",
  { versions: onlyV3 },
  async (world) => {
    const client = await world.connect();
    client.send("50 02 0063");
    await client.expectBytes("62 02 0063");
    client.send("62 02 0063");
    await client.expectBytes("70 02 0063");
  },
);

conformanceTest(
  "PUBACK, PUBCOMP and a PUBREC with failure for an unknown identifier change nothing",
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect();
    await subscribed(client, { filter: "t", qos: 2 });
    client.send(puback(9), pubcomp(9));
    if (world.version === 5) client.send(pubrec(9, ReasonCode.unspecifiedError));
    await client.ping();
    world.broker.publish("t", "", { qos: 1 });
    await expectPublish(client, { qos: 1, packetIdentifier: 1 });
  },
);

conformanceTest(
  "an acknowledgement of the wrong kind ends the connection",
  { versions: everyVersion },
  async (world) => {
    for (const [qos, answer] of [
      [1, pubrec()],
      [1, pubcomp()],
      [2, puback()],
      [2, pubcomp()],
    ] as const) {
      const client = await world.connect();
      await subscribed(client, { filter: "t", qos: 2 });
      world.broker.publish("t", "", { qos });
      await expectPublish(client, { qos, packetIdentifier: 1 });
      client.send(answer);
      await client.expectDisconnected(ReasonCode.protocolError);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-4.4.0-2] [MQTT-3.5.2-1] a PUBREC with failure ends the exchange and frees its identifier",
  { versions: onlyV5 },
  async (world) => {
    const fields = persistent(5, "sub", { receiveMaximum: 1 });
    const client = await world.connect(fields);
    await subscribed(client, { filter: "t", qos: 2 });
    world.broker.publish("t", "refused", { qos: 2 });
    world.broker.publish("t", "next", { qos: 2 });
    const { packetIdentifier } = await expectPublish(client, { payload: "refused" });
    client.send(pubrec(packetIdentifier, ReasonCode.unspecifiedError));
    const next = await expectPublish(client, { payload: "next", dup: false });
    client.send(pubrec(packetIdentifier));
    await expectAcknowledgement(client, PacketType.pubrel, {
      packetIdentifier,
      reasonCode: ReasonCode.packetIdentifierNotFound,
    });
    const again = await world.connect(fields);
    await expectPublish(again, { payload: "next", packetIdentifier: next.packetIdentifier });
    await again.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-4.4.0-2] a PUBACK with failure counts as acknowledged",
  { versions: onlyV5 },
  async (world) => {
    const fields = persistent(5, "sub");
    const client = await world.connect(fields);
    await subscribed(client, { filter: "t", qos: 1 });
    world.broker.publish("t", "refused", { qos: 1 });
    const { packetIdentifier } = await expectPublish(client, { payload: "refused" });
    client.send(puback(packetIdentifier, ReasonCode.quotaExceeded));
    await client.ping();
    const again = await world.connect(fields);
    await again.ping();
  },
);

conformanceTest(
  "5.0 acknowledgements with a reason string and user properties are understood",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect({ properties: { receiveMaximum: 1 } });
    await subscribed(client, { filter: "t", qos: 2 });
    for (const qos of [1, 2, 1] as const) world.broker.publish("t", "x", { qos });
    const properties = "0d 1f 0003 776879 26 0001 61 0001 62";
    const first = await expectPublish(client, { qos: 1 });
    const name = (packetIdentifier = 0) => packetIdentifier.toString(16).padStart(4, "0");
    client.send(`40 11 ${name(first.packetIdentifier)} 00 ${properties}`);
    const second = await expectPublish(client, { qos: 2 });
    client.send(`50 11 ${name(second.packetIdentifier)} 10 ${properties}`);
    await client.expectBytes(`62 02 ${name(second.packetIdentifier)}`);
    client.send(`70 11 ${name(second.packetIdentifier)} 00 ${properties}`);
    await expectPublish(client, { qos: 1 });
    await client.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1] a code that the packet does not have ends the connection",
  { versions: onlyV5 },
  async (world) => {
    for (const packet of ["40 03 0001 92", "50 03 0001 01", "62 03 0001 10", "70 03 0001 80"]) {
      const client = await world.connect();
      client.send(packet);
      await client.expectDisconnected(ReasonCode.protocolError);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.6.1-1] [MQTT-2.1.3-1] 3.1.1 [MQTT-3.6.1-1] [MQTT-2.2.2-1] [MQTT-2.2.2-2] wrong flags end the connection",
  { versions: onlyV3_1_1.concat(onlyV5) }, // 3.1 has DUP and RETAIN bits there, and no rule
  async (world) => {
    const ofPubrel = ["60 02 0001", "61 02 0001", "63 02 0001", "66 02 0001", "6a 02 0001"];
    for (const packet of [...ofPubrel, "41 02 0001", "52 02 0001", "78 02 0001"]) {
      const client = await world.connect();
      client.send(packet);
      await client.expectDisconnected(ReasonCode.malformedPacket);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-2.2.1-5] 3.1.1 [MQTT-2.3.1-6] an acknowledgement without an identifier, with 0 or with too much ends the connection",
  { versions: everyVersion },
  async (world) => {
    for (const type of ["40", "50", "62", "70"]) {
      for (const body of ["00", "01 00", "02 0000", "06 0001 00 00 00 00"]) {
        const client = await world.connect();
        client.send(`${type} ${body}`);
        if (world.version === 5) await client.expectPacket(PacketType.disconnect);
        await client.expectClosed();
      }
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.4.2-2] [MQTT-3.5.2-2] a reason string that would make the packet too large is left away",
  {
    versions: onlyV5,
    broker: {
      authorizer: {
        generation: 0,
        authorize: ({ action }) => ({ allowed: action !== "publish", rule: "none" }),
      },
    },
  },
  async (world) => {
    const client = await world.connect({ properties: { maximumPacketSize: 30 } });
    client.send(publish("a/longer/topic", "", { qos: 1 }));
    await client.expectBytes("40 03 0001 87");
    client.send(publish("a/longer/topic", "", { qos: 2 }));
    await client.expectBytes("50 03 0001 87");
    client.send(pubrel(1));
    await client.expectBytes("70 03 0001 92");
  },
);

conformanceTest(
  "5.0 [MQTT-4.3.2-3] [MQTT-4.3.3-4] [MQTT-4.3.3-11] acknowledgements may be short or say all that they can: each is understood",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect({ properties: { receiveMaximum: 1 } });
    await subscribed(client, { filter: "t", qos: 2 });
    for (const [puback, pubrec, pubcomp] of [
      ["40 02 0001", "50 02 0002", "70 02 0002"],
      ["40 03 0003 00", "50 03 0004 00", "70 03 0004 00"],
      ["40 04 0005 10 00", "50 04 0006 10 00", "70 04 0006 92 00"],
    ]) {
      world.broker.publish("t", "", { qos: 1 });
      world.broker.publish("t", "", { qos: 2 });
      await expectPublish(client, { qos: 1 });
      client.send(puback);
      await expectPublish(client, { qos: 2 });
      client.send(pubrec);
      await client.expectPacket(PacketType.pubrel);
      client.send(pubcomp);
    }
    for (const release of ["62 02 0009", "62 03 0009 00", "62 04 0009 92 00"]) {
      client.send(publish("nobody", "", { qos: 2, packetIdentifier: 9 }), release);
      await client.expectBytes("50 03 0009 10  70 02 0009");
    }
  },
);
