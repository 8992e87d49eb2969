/** Ordered topics and ordered acknowledgements (section 4.6), with several hundred messages in random mixtures. */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import {
  type ConnectPacket,
  PacketType,
  type PublishPacket,
  type QoS,
} from "../../src/codec/index.ts";
import { conformanceTest, everyVersion, type RawClient, type World } from "./harness/index.ts";
import {
  acknowledgement,
  disconnect,
  persistent,
  publish,
  pubrel,
  subscribe,
  subscribed,
} from "./packets.ts";

const total = 600;

/** A generator of numbers below `bound`, the same for the same seed (mulberry32). */
function randomNumbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

/** A failure says with which seed it happens again. */
function withSeed(run: (world: World, seed: number) => Promise<void>) {
  return async (world: World): Promise<void> => {
    const seed = randomInt(2 ** 31);
    try {
      await run(world, seed);
    } catch (error) {
      console.log(`seed ${seed}`);
      throw error;
    }
  };
}

interface Sent {
  readonly packet: PublishPacket;
  readonly key: string;
}

/** Messages to three topics in all QoS, a few of them large, numbered in the order in which they are sent. */
function mixture(seed: number): Sent[] {
  const below = randomNumbers(seed);
  return Array.from({ length: total }, (_, count) => {
    const qos = below(3) as QoS;
    const topic = `order/${below(3)}`;
    const payload = `${count}`.padEnd(below(20) === 0 ? 20_000 : 6);
    const packet = publish(topic, payload, { qos, packetIdentifier: count + 1 });
    return { packet, key: `${topic} ${qos}` };
  });
}

/** The messages of one topic and QoS are numbered in ascending order, and none is missing. */
function checkOrder(received: readonly PublishPacket[], sent: readonly Sent[]): void {
  const numbersOf = (packets: readonly PublishPacket[]) => {
    const numbers: Record<string, number[]> = {};
    for (const { topic, qos, payload } of packets) {
      const key = `${topic} ${qos}`;
      numbers[key] ??= [];
      numbers[key].push(Number.parseInt(Buffer.from(payload).toString(), 10));
    }
    return numbers;
  };
  assert.deepEqual(numbersOf(received), numbersOf(sent.map(({ packet }) => packet)));
}

/** Reads and answers until `count` messages have come, each QoS 2 handshake to its end. */
async function receiveAll(client: RawClient, count: number): Promise<PublishPacket[]> {
  const received: PublishPacket[] = [];
  let open = 0;
  while (received.length < count || open > 0) {
    const packet = await client.expectAny();
    if (packet.type === PacketType.publish) {
      received.push(packet);
      const identifier = packet.packetIdentifier ?? 0;
      if (packet.qos === 1) client.send(acknowledgement(PacketType.puback, identifier));
      if (packet.qos === 2) {
        open++;
        client.send(acknowledgement(PacketType.pubrec, identifier));
      }
    } else if (packet.type === PacketType.pubrel) {
      open--;
      client.send(acknowledgement(PacketType.pubcomp, packet.packetIdentifier));
    } else assert.fail(`unexpected packet of type ${packet.type}`);
  }
  return received;
}

conformanceTest(
  "5.0 [MQTT-4.6.0-5] [MQTT-4.6.0-6] 3.1.1 [MQTT-4.6.0-5] [MQTT-4.6.0-6] messages of one topic and QoS arrive in the order in which they were sent",
  { versions: everyVersion },
  withSeed(async (world, seed) => {
    const fields = world.version === 5 ? { properties: { receiveMaximum: 10 } } : {};
    const subscriber = await world.connect(fields);
    await subscribed(subscriber, { filter: "order/#", qos: 2 });
    const publisher = await world.connect();
    const sent = mixture(seed);
    const receiving = receiveAll(subscriber, total);
    for (const { packet } of sent) publisher.send(packet);
    checkOrder(await receiving, sent);
    await subscriber.ping();
  }),
);

conformanceTest(
  "5.0 [MQTT-4.6.0-2] [MQTT-4.6.0-3] 3.1.1 [MQTT-4.6.0-2] [MQTT-4.6.0-3] acknowledgements come in the order of what they acknowledge",
  { versions: everyVersion },
  withSeed(async (world, seed) => {
    const below = randomNumbers(seed);
    const witness = await world.connect();
    await subscribed(witness, "order");
    const publisher = await world.connect();
    const packets = Array.from({ length: total }, (_, count) =>
      publish("order", "", { qos: (1 + below(2)) as QoS, packetIdentifier: count + 1 }),
    );
    publisher.send(...packets);
    const released: number[] = [];
    for (const { qos, packetIdentifier = 0 } of packets) {
      const type = qos === 1 ? PacketType.puback : PacketType.pubrec;
      const answer = await publisher.expectPacket(type);
      assert.equal(answer.packetIdentifier, packetIdentifier);
      if (qos === 2) released.push(packetIdentifier);
    }
    publisher.send(...released.map((identifier) => pubrel(identifier)));
    for (const identifier of released) {
      const answer = await publisher.expectPacket(PacketType.pubcomp);
      assert.equal(answer.packetIdentifier, identifier);
    }
  }),
);

conformanceTest(
  "5.0 [MQTT-4.6.0-5] the order holds through an offline queue and a reconnect in the middle",
  { versions: everyVersion },
  async (world) => {
    const fields = persistent(world.version, "sub", { receiveMaximum: 20 });
    const before = await world.connect(fields);
    await subscribed(before, { filter: "t", qos: 1 });
    await disconnect(before);
    for (let count = 0; count < total / 2; count++) {
      world.broker.publish("t", `${count}`, { qos: 1 });
    }
    const first = await world.connect(fields);
    const early = await receiveAll(first, 100);
    first.destroy();
    const second = await world.connect(fields);
    for (let count = total / 2; count < total; count++) {
      world.broker.publish("t", `${count}`, { qos: 1 });
    }
    const numbers = early.map(({ payload }) => Number(Buffer.from(payload).toString()));
    while (numbers.at(-1) !== total - 1) {
      const [packet] = await receiveAll(second, 1);
      const number = Number(Buffer.from(packet.payload).toString());
      if (packet.dup) assert.ok(number <= total);
      if (number > (numbers.at(-1) ?? -1)) numbers.push(number);
      else assert.ok(packet.dup, `${number} came again without DUP`);
    }
    assert.deepEqual(
      numbers,
      Array.from({ length: total }, (_, count) => count),
    );
  },
);

conformanceTest(
  "5.0 [MQTT-4.6.0-5] several publishers at once: each one's order holds for every subscriber",
  { versions: everyVersion },
  async (world) => {
    const subscribers = [await world.connect(), await world.connect()];
    for (const [qos, subscriber] of subscribers.entries()) {
      await subscribed(subscriber, { filter: "t/#", qos: qos as QoS });
    }
    const publishers = [await world.connect(), await world.connect(), await world.connect()];
    const receiving = subscribers.map((subscriber) => receiveAll(subscriber, 300));
    for (let count = 0; count < 100; count++) {
      for (const [index, publisher] of publishers.entries()) {
        publisher.send(publish(`t/${index}`, `${count}`, { qos: 1, packetIdentifier: count + 1 }));
      }
    }
    for (const received of await Promise.all(receiving)) {
      for (let index = 0; index < 3; index++) {
        const numbers = received
          .filter(({ topic }) => topic === `t/${index}`)
          .map(({ payload }) => Number(Buffer.from(payload).toString()));
        assert.deepEqual(
          numbers,
          Array.from({ length: 100 }, (_, count) => count),
        );
      }
    }
  },
);

conformanceTest(
  "5.0 [MQTT-4.6.0-5] a packet cut at any byte, and many in one piece, keep their order",
  { versions: everyVersion },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "t");
    const publisher = await world.connect();
    const frame = world.version === 5 ? "30 05 0001 74 00" : "30 04 0001 74";
    const bytes = Buffer.concat(
      Array.from({ length: 40 }, (_, count) =>
        Buffer.concat([Buffer.from(frame.replaceAll(" ", ""), "hex"), Buffer.from([65 + count])]),
      ),
    );
    for (let cut = 1; cut < 20; cut++) {
      for (let at = 0; at < bytes.length; at += cut) publisher.send(bytes.subarray(at, at + cut));
      await subscriber.expectBytes(bytes.toString("hex"));
    }
  },
);

conformanceTest(
  "5.0 [MQTT-4.6.0-4] 3.1.1 [MQTT-4.6.0-4] PUBREL comes in the order of the PUBRECs, not of their messages, and again so after a reconnect",
  { versions: everyVersion },
  async (world) => {
    const fields = persistent(world.version, "sub");
    const before = await world.connect(fields);
    await subscribed(before, { filter: "t", qos: 2 });
    for (let count = 0; count < 3; count++) world.broker.publish("t", "", { qos: 2 });
    for (let count = 0; count < 3; count++) await before.expectPacket(PacketType.publish);
    before.send("50 02 0003  50 02 0001  50 02 0002");
    await before.expectBytes("62 02 0003  62 02 0001  62 02 0002");
    before.destroy();
    const after = await world.connect(fields);
    await after.expectBytes("62 02 0003  62 02 0001  62 02 0002");
    await after.ping();
  },
);

const large = 300_000;
const many = 40;

/** A client that stops reading as soon as it is connected: what is to come fills the socket, and the rest has to wait. */
async function connectAndStall(
  world: World,
  fields: Partial<ConnectPacket> = {},
): Promise<RawClient> {
  const client = await world.connect(fields);
  client.pause();
  await new Promise((resolve) => setTimeout(resolve, 20));
  return client;
}

async function expectNumbers(client: RawClient, from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number++) {
    const { payload } = await client.expectPacket(PacketType.publish);
    assert.equal(Number.parseInt(Buffer.from(payload).toString(), 10), number);
  }
}

conformanceTest(
  "5.0 [MQTT-4.6.0-5] 3.1.1 [MQTT-4.6.0-6] nothing overtakes what waits for a client that reads slowly: neither the queue nor what is sent again",
  { versions: everyVersion },
  async (world) => {
    const fields = persistent(world.version, "sub");
    const first = await world.connect(fields);
    await subscribed(first, { filter: "t", qos: 1 });
    await disconnect(first);
    const send = (number: number) =>
      world.broker.publish("t", `${number}`.padEnd(large), { qos: 1 });
    for (let number = 0; number < many; number++) send(number);
    const queued = await connectAndStall(world, fields);
    send(many);
    queued.resume();
    await expectNumbers(queued, 0, many);
    queued.destroy();
    const again = await connectAndStall(world, fields);
    send(many + 1);
    again.resume();
    await expectNumbers(again, 0, many + 1);
    await again.ping();
  },
);

const topics = ["t/0", "t/1", "t/2", "t/3"];

/** Of each topic the retained message "kept" and then "new", and nothing after it. */
async function expectKeptBeforeNew(client: RawClient): Promise<void> {
  const received = new Map<string, string[]>(topics.map((topic) => [topic, []]));
  for (let news = 0; news < topics.length; ) {
    const packet = await client.expectPacket(PacketType.publish);
    const { topic, qos, payload, packetIdentifier = 0, retain } = packet;
    if (qos === 1) client.send(acknowledgement(PacketType.puback, packetIdentifier));
    const text = Buffer.from(payload).toString().trim();
    assert.equal(retain, text === "kept");
    received.get(topic)?.push(text);
    if (text === "new") news++;
  }
  await client.ping();
  for (const [topic, texts] of received) {
    assert.deepEqual([...new Set(texts)], ["kept", "new"], topic);
    assert.equal(texts.indexOf("new"), texts.length - 1, topic);
  }
}

conformanceTest(
  "5.0 [MQTT-4.6.0-5] 3.1.1 [MQTT-4.6.0-6] what is published after SUBSCRIBE does not overtake retained messages that wait for room",
  { versions: everyVersion, broker: { limits: { inFlightMessagesMax: 1 } } },
  async (world) => {
    for (const topic of topics) world.broker.publish(topic, "kept", { qos: 1, retain: true });
    const client = await world.connect();
    await subscribed(client, { filter: "t/+", qos: 1 });
    for (const topic of topics) world.broker.publish(topic, "new", { qos: 1 });
    await expectKeptBeforeNew(client);
  },
);

/** The broker has handled what was sent: PINGRESP comes behind all acknowledgements. */
async function pingPast(client: RawClient): Promise<void> {
  client.send("c000");
  let type: PacketType;
  do ({ type } = await client.expectAny());
  while (type === PacketType.puback);
  assert.equal(type, PacketType.pingresp);
}

for (const qos of [0, 1] as const) {
  conformanceTest(
    `5.0 [MQTT-4.6.0-5] 3.1.1 [MQTT-4.6.0-6] QoS ${qos} does not overtake retained messages that wait for a client that reads slowly`,
    { versions: everyVersion },
    async (world) => {
      const slow = Array.from({ length: many }, (_, index) => `t/${index}`);
      const kept = "kept".padEnd(large);
      for (const topic of slow.toReversed())
        world.broker.publish(topic, kept, { qos, retain: true });
      const publisher = await world.connect();
      publisher.send(publish("t/0", "too early", { qos })); // the topic of what comes next is known
      await pingPast(publisher);
      const client = await connectAndStall(world);
      client.send(subscribe({ filter: "t/+", qos }));
      await pingPast(publisher);
      publisher.send(...slow.map((topic) => publish(topic, "new", { qos })));
      await pingPast(publisher);
      client.resume();
      await client.expectPacket(PacketType.suback);
      const texts = new Map<string, string[]>(slow.map((topic) => [topic, []]));
      while ([...texts.values()].some((list) => !list.includes("kept"))) {
        const { topic, payload } = await client.expectPacket(PacketType.publish);
        texts.get(topic)?.push(Buffer.from(payload).toString().trim());
      }
      for (const [topic, [first]] of texts) assert.equal(first, "kept", topic);
    },
  );
}
