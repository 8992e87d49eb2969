/** 5.0 and 3.1.1, chapter 6: MQTT over WebSocket, frame by frame. What a WebSocket library would hide is done by hand. */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { type TestContext, test } from "node:test";
import { encodePacket, PacketType, ProtocolVersion } from "../../src/codec/index.ts";
import {
  conformanceTest,
  connectBytes,
  connectPacket,
  frameBytes,
  fromHexadecimal,
  Opcode,
  publishPacket,
  RawWebSocket,
  subscribePacket,
  World,
} from "./harness/index.ts";

const { v3_1, v3_1_1, v5 } = ProtocolVersion;
/** Both standards have this chapter; MQTT 3.1 has none. */
const versions = [v3_1_1, v5];
const onlyOn = "websocket";
const connack = 0x20;
const pingreq = fromHexadecimal("c000");
const pingresp = fromHexadecimal("d000");
const unsupportedData = 1003;
const protocolError = 1002;

function binary(bytes: Uint8Array): Buffer {
  return frameBytes(Opcode.binary, bytes);
}

async function openSocket(world: World): Promise<RawWebSocket> {
  const socket = await RawWebSocket.open(world.url, "mqtt");
  assert.equal(socket.status, 101);
  return socket;
}

/** An accepted client, which said CONNECT in one frame. */
async function openClient(world: World): Promise<RawWebSocket> {
  const socket = await openSocket(world);
  socket.send(binary(connectBytes(world.version)));
  assert.equal((await socket.expectPacket())[0], connack);
  return socket;
}

async function expectPong(socket: RawWebSocket): Promise<void> {
  socket.send(binary(pingreq));
  await socket.expectBytes(pingresp);
  socket.destroy();
}

const choices: readonly (readonly [offered: string, selected: string])[] = [
  ["mqtt", "mqtt"],
  ["chat, mqtt", "mqtt"],
  ["mqtt, mqttv3.1", "mqtt"],
  ["mqttv3.1, mqtt", "mqtt"],
  ["mqttv3.1,chat,mqtt", "mqtt"],
];

for (const [offered, selected] of choices) {
  conformanceTest(
    `5.0 [MQTT-6.0.0-4], 3.1.1 [MQTT-6.0.0-4] of the subprotocols "${offered}" ${selected} is selected`,
    { versions, onlyOn },
    async (world) => {
      const socket = await RawWebSocket.open(world.url, offered);
      assert.equal(socket.status, 101);
      assert.equal(socket.subprotocol, selected);
      socket.send(binary(connectBytes(world.version)));
      assert.equal((await socket.expectPacket())[0], connack);
      await expectPong(socket);
    },
  );
}

conformanceTest(
  "3.1, which knows no WebSocket: mqttv3.1 is selected where it is offered alone",
  { versions: [v3_1], onlyOn },
  async (world) => {
    const socket = await RawWebSocket.open(world.url, "mqttv3.1");
    assert.equal(socket.subprotocol, "mqttv3.1");
    socket.send(binary(connectBytes(v3_1)));
    await socket.expectBytes(fromHexadecimal("20020000"));
    socket.destroy();
  },
);

conformanceTest(
  "5.0 [MQTT-6.0.0-3], 3.1.1 [MQTT-6.0.0-3] who does not offer mqtt gets no WebSocket",
  { versions, onlyOn },
  async (world) => {
    for (const offered of [undefined, "chat", "MQTT", "mqttv5", "mqtt.org"]) {
      const socket = await RawWebSocket.open(world.url, offered);
      assert.equal(socket.status, 400, offered);
      assert.equal(socket.subprotocol, undefined);
      socket.destroy();
    }
  },
);

conformanceTest(
  "5.0 [MQTT-6.0.0-1], 3.1.1 [MQTT-6.0.0-1] what the broker sends are binary frames, whole and in order",
  { versions, onlyOn },
  async (world) => {
    const { version } = world;
    const socket = await openClient(world);
    socket.send(binary(encodePacket(subscribePacket("t", { qos: 0 }), version)));
    await socket.expectBytes(fromHexadecimal(version === v5 ? "900400010000" : "9003000100"));
    for (const length of [0, 100, 200, 70_000, 300_000]) {
      const payload = Buffer.alloc(length, length & 0xff);
      world.broker.publish("t", payload);
      await socket.expectBytes(encodePacket(publishPacket("t", payload), version));
    }
    await expectPong(socket);
  },
);

const textFrames: Readonly<Record<string, (bytes: Buffer) => Buffer[]>> = {
  "a text frame": (bytes) => [frameBytes(Opcode.text, bytes)],
  "an empty text frame": () => [frameBytes(Opcode.text, Buffer.alloc(0))],
  "a text message in fragments": (bytes) => [
    frameBytes(Opcode.text, bytes.subarray(0, 1), false),
    frameBytes(Opcode.continuation, bytes.subarray(1)),
  ],
};

for (const [what, framesOf] of Object.entries(textFrames)) {
  conformanceTest(
    `5.0 [MQTT-6.0.0-1], 3.1.1 [MQTT-6.0.0-1] ${what} ends the connection, before CONNECT and behind it; what follows is not handled, the will goes out`,
    { versions, onlyOn },
    async (world) => {
      const watcher = await world.connect({ clientIdentifier: "watcher" });
      await watcher.subscribe("#", { qos: 0 });
      const { version } = world;
      const stranger = await openSocket(world);
      stranger.send(...framesOf(connectBytes(version)), binary(connectBytes(version)));
      await stranger.expectClose(unsupportedData);
      const late = binary(encodePacket(publishPacket("late", "x"), version));
      const will = { topic: "will", payload: Buffer.from(""), qos: 0 as const, retain: false };
      const client = await openSocket(world);
      client.send(
        binary(
          encodePacket(connectPacket(version, { will: { ...will, properties: {} } }), version),
        ),
      );
      assert.equal((await client.expectPacket())[0], connack);
      client.send(...framesOf(encodePacket(publishPacket("text", "x"), version)), late);
      await client.expectClose(unsupportedData);
      assert.equal((await watcher.expectPacket(PacketType.publish)).topic, "will");
      await watcher.ping();
    },
  );
}

conformanceTest(
  "5.0 [MQTT-6.0.0-1], 3.1.1 [MQTT-6.0.0-1] a frame of a kind that WebSocket reserves ends the connection",
  { versions, onlyOn },
  async (world) => {
    for (const opcode of [3, 7, 11, 15]) {
      const client = await openClient(world);
      client.send(frameBytes(opcode as Opcode, pingreq), binary(pingreq));
      await client.expectClose(protocolError);
    }
  },
);

conformanceTest(
  "5.0 and 3.1.1, chapter 6: ping is a frame, but not of data: it is answered, and the connection goes on",
  { versions, onlyOn },
  async (world) => {
    const client = await openClient(world);
    client.send(frameBytes(Opcode.ping, Buffer.from("are you there?")));
    const { opcode, payload } = await client.expectFrame();
    assert.deepEqual([opcode, `${payload}`], [Opcode.pong, "are you there?"]);
    client.send(frameBytes(Opcode.pong, Buffer.from("unasked")));
    await expectPong(client);
  },
);

conformanceTest(
  "5.0 [MQTT-6.0.0-2], 3.1.1 [MQTT-6.0.0-2] many packets in one frame, and one packet in many frames",
  { versions, onlyOn },
  async (world) => {
    const { version } = world;
    const publish = encodePacket(
      publishPacket("t", "x".repeat(300), { qos: 1, packetIdentifier: 7 }),
      version,
    );
    const puback = version === v5 ? "4003000710" : "40020007"; // nobody is subscribed
    const client = await openSocket(world);
    const connect = connectBytes(version);
    // the end of CONNECT, two whole packets and the beginning of another
    client.send(binary(connect.subarray(0, 5)));
    client.send(
      binary(Buffer.concat([connect.subarray(5), pingreq, publish, publish.subarray(0, 10)])),
    );
    assert.equal((await client.expectPacket())[0], connack);
    await client.expectBytes(fromHexadecimal(`d000 ${puback}`));
    for (const byte of publish.subarray(10, 20)) client.send(binary(Buffer.from([byte])));
    client.send(binary(Buffer.alloc(0)));
    client.send(
      frameBytes(Opcode.binary, publish.subarray(20, 30), false),
      frameBytes(Opcode.ping, Buffer.alloc(0)),
      frameBytes(Opcode.continuation, publish.subarray(30, 40), false),
      frameBytes(
        Opcode.continuation,
        Buffer.concat([publish.subarray(40), pingreq.subarray(0, 1)]),
      ),
    );
    assert.equal((await client.expectFrame()).opcode, Opcode.pong);
    await client.expectBytes(fromHexadecimal(puback));
    client.send(binary(pingreq.subarray(1)));
    await client.expectBytes(pingresp);
    client.destroy();
  },
);

/** Numbers from 0 to below `limit`, the same for the same seed (a linear congruential generator). */
function drawFrom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

async function sendCutAnywhere(context: TestContext, version: ProtocolVersion): Promise<void> {
  const seed = Number(process.env.TSTACK_SEED ?? randomInt(2 ** 32));
  context.diagnostic(`TSTACK_SEED=${seed}`);
  const world = await World.start(context, {}, { version, transport: onlyOn });
  const draw = drawFrom(seed);
  const subscriber = await world.connect({ clientIdentifier: "subscriber" });
  await subscriber.subscribe("t", { qos: 0 });
  const client = await openClient(world);
  const payloads = Array.from({ length: 60 }, (_, count) => `${count} ${"x".repeat(draw(400))}`);
  const bytes = Buffer.concat(
    payloads.map((payload) => encodePacket(publishPacket("t", payload), version)),
  );
  let opcode: Opcode = Opcode.binary;
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + draw(90));
    const isFinal = end === bytes.length || draw(3) > 0;
    client.send(frameBytes(opcode, bytes.subarray(at, end), isFinal));
    opcode = isFinal ? Opcode.binary : Opcode.continuation;
    at = end;
  }
  for (const payload of payloads) {
    const message = await subscriber.expectPacket(PacketType.publish);
    assert.equal(Buffer.from(message.payload).toString(), payload, `TSTACK_SEED=${seed}`);
  }
  await expectPong(client);
}

for (const version of versions) {
  test(`5.0 [MQTT-6.0.0-2], 3.1.1 [MQTT-6.0.0-2] packets arrive whole and in order however frames and fragments cut them (version ${version})`, (context) =>
    sendCutAnywhere(context, version));
}
