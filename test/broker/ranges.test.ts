/**
 * Frames that come in one chunk are delivered as ranges; the same frames one by one are not, and a chunk may end
 * anywhere within a frame. Whoever is subscribed must not see a difference: the same messages, in the same order,
 * under the same packet identifiers.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  encodePacket,
  type Packet,
  PacketType,
  ProtocolVersion,
  type PublishPacket,
} from "../../src/codec/index.ts";
import type { MemoryClient } from "./memory-client.ts";
import { TestBroker } from "./test-broker.ts";

const { v3_1_1, v5 } = ProtocolVersion;

const publishes = fc.array(
  fc.record({
    topic: fc.constantFrom("t", "t", "t", "t/long/er", "nobody"),
    qos: fc.constantFrom(0, 1, 1, 1, 2) as fc.Arbitrary<0 | 1 | 2>,
    bytes: fc.constantFrom(0, 3, 3, 3, 200),
    retain: fc.constantFrom(false, false, false, false, true),
    hasProperty: fc.constantFrom(false, false, false, false, true),
  }),
  { minLength: 1, maxLength: 40, size: "max" },
);

/** Everybody who gets messages in a way of their own. */
async function openSubscribers(broker: TestBroker): Promise<MemoryClient[]> {
  const kept = { cleanStart: false, properties: { sessionExpiryInterval: 100 } };
  const clients = [
    await broker.connect("v3", { protocolVersion: v3_1_1 }),
    await broker.connect("v5"),
    await broker.connect("narrow", { properties: { receiveMaximum: 3 } }),
    await broker.connect("kept", kept),
    await broker.connect("aliases", { properties: { topicAliasMaximum: 2 } }),
    await broker.connect("small", { properties: { maximumPacketSize: 60 } }),
    await broker.connect("qos 0"),
    await broker.connect("identifier"),
  ];
  for (const [index, client] of clients.entries()) {
    client.send({
      type: PacketType.subscribe,
      packetIdentifier: 1000,
      subscriptions: [
        {
          filter: "t/#",
          qos: index === 6 ? 0 : 1,
          noLocal: false,
          retainAsPublished: index === 1 && client.version === v5,
          retainHandling: 0,
        },
      ],
      properties: index === 7 ? { subscriptionIdentifiers: [7] } : {},
    });
  }
  // Shared subscriptions keep an order of their own, so the member has no other.
  const member = await broker.connect("member");
  member.subscribe("$share/g/t/#", 1);
  clients.push(member);
  await broker.settle();
  for (const client of clients) client.packets.length = 0;
  return clients;
}

async function run(chunks: readonly Buffer[], version: ProtocolVersion) {
  const broker = new TestBroker();
  const subscribers = await openSubscribers(broker);
  const publisher = await broker.connect("publisher", { protocolVersion: version });
  publisher.packets.length = 0;
  for (const chunk of chunks) publisher.sendBytes(Buffer.from(chunk));
  await broker.settle();
  broker.expectErrors(0);
  const seen = (client: MemoryClient): Packet[] => client.packets;
  return { publisher: seen(publisher), subscribers: subscribers.map(seen) };
}

/** None leaves the stream in one piece. */
const cuts = fc.oneof(
  fc.constant([]),
  fc.array(fc.nat(), { minLength: 1, maxLength: 8, size: "max" }),
);

function cut(stream: Buffer, places: readonly number[]): Buffer[] {
  const ends = places.map((at) => at % stream.length).sort((a, b) => a - b);
  return [...ends, stream.length].map((end, index) => stream.subarray(ends[index - 1] ?? 0, end));
}

for (const version of [v3_1_1, v5]) {
  test(`chunks of frames are delivered as the frames one by one are, wherever they are cut (v${version})`, async () => {
    const property = fc.asyncProperty(publishes, cuts, async (steps, places) => {
      const frames = steps.map(({ topic, qos, bytes, retain, hasProperty }, index) => {
        const packet: PublishPacket = {
          type: PacketType.publish,
          topic,
          payload: Buffer.from(String(index).padStart(bytes, "x")),
          qos,
          retain,
          dup: false,
          properties: version === v5 && hasProperty ? { contentType: "text" } : {},
        };
        if (qos > 0) packet.packetIdentifier = index + 1;
        return encodePacket(packet, version);
      });
      const chunks = cut(Buffer.concat(frames), places);
      assert.deepEqual(await run(chunks, version), await run(frames, version));
    });
    await fc.assert(property, { numRuns: 60 });
  });
}
