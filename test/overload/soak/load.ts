/**
 * Everything that a broker has to bear, at once, from processes of their own, as one cannot do it all: each is told where
 * and which part, and ends with its parent.
 * Each actor begins again when the broker ends it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { encodePacket, type Packet, PacketType, type QoS } from "../../../src/codec/index.ts";
import { connectPacket } from "../../conformance/harness/index.ts";
import { puback, publish, pubrel, subscribe } from "../../conformance/packets.ts";
import { SoakSocket } from "./soak-socket.ts";

const port = Number(process.argv[2]);
const part = process.argv[3];
const offlineSessions = 2000;

let names = 0;
const nextName = (kind: string): string => `${kind}-${process.pid}-${names++}`;

type Fields = Parameters<typeof connectPacket>[1];

/** A connected client; undefined, after a pause, when the broker refuses it. */
async function connectClient(kind: string, fields: Fields = {}): Promise<SoakSocket | undefined> {
  const client = new SoakSocket(port);
  const answer = await client.ask(
    connectPacket(5, { clientIdentifier: nextName(kind), ...fields }),
  );
  if (answer?.type === PacketType.connack && answer.reasonCode === 0) return client;
  client.destroy();
  await sleep(200 + Math.random() * 300);
  return undefined;
}

async function closed(client: SoakSocket): Promise<void> {
  while (!client.isClosed) await sleep(100);
}

/** As fast as the socket takes them. Whatever comes back is answered as QoS asks. */
async function flood(topic: string, qos: QoS, size: number): Promise<void> {
  const client = await connectClient(`flood-${qos}`);
  if (client === undefined) return;
  let identifier = 0;
  const underWay = new Set<number>();
  client.onPacket = (packet) => {
    if (packet.type === PacketType.pubrec) client.send(pubrel(packet.packetIdentifier));
    if (packet.type === PacketType.puback || packet.type === PacketType.pubcomp)
      underWay.delete(packet.packetIdentifier);
  };
  const payload = "x".repeat(size);
  while (!client.isClosed) {
    const packets: Packet[] = [];
    while (packets.length < 64 && underWay.size < 1000) {
      identifier = (identifier % 60_000) + 1;
      if (qos > 0) underWay.add(identifier);
      packets.push(
        publish(topic, payload, { qos, ...(qos > 0 && { packetIdentifier: identifier }) }),
      );
    }
    const isFree = packets.length > 0 && client.send(...packets);
    await sleep(isFree ? 0 : 5);
    while (!client.isClosed && client.socket.writableLength > 1_000_000) await sleep(5);
  }
}

/** Reads nothing of what it is subscribed to. */
async function readNothing(): Promise<void> {
  const client = await connectClient("slow");
  if (client === undefined) return;
  await client.ask(subscribe({ filter: "flood/0", qos: 0 }));
  client.socket.pause();
  await closed(client);
}

/** Takes everything and acknowledges nothing. */
async function acknowledgeNothing(): Promise<void> {
  const client = await connectClient("silent", { properties: { sessionExpiryInterval: 10 } });
  if (client === undefined) return;
  await client.ask(subscribe({ filter: "flood/1", qos: 1 }));
  await closed(client);
}

/** Leaves sessions behind that all match one topic, and publishes to them. */
async function fillOfflineSessions(): Promise<void> {
  for (let count = 0; count < offlineSessions; count++) {
    const client = await connectClient("offline", { properties: { sessionExpiryInterval: 10 } });
    if (client === undefined) continue;
    await client.ask(subscribe({ filter: "offline", qos: 1 }));
    client.destroy();
  }
}

async function publishOffline(): Promise<void> {
  const client = await connectClient("to-offline");
  if (client === undefined) return;
  const payload = "x".repeat(200);
  for (let identifier = 1; !client.isClosed; identifier = (identifier % 60_000) + 1) {
    await client.ask(publish("offline", payload, { qos: 1, packetIdentifier: identifier }));
    await sleep(20);
  }
}

/** Retained messages of ever new topics: what brings memory to its limit. They expire. */
async function retain(): Promise<void> {
  const client = await connectClient("retain");
  if (client === undefined) return;
  const payload = "x".repeat(100_000);
  const properties = { messageExpiryInterval: 15 };
  for (let count = 0; !client.isClosed; count++) {
    client.send(publish(`retained/${process.pid}/${count}`, payload, { retain: true, properties }));
    await sleep(5);
    while (!client.isClosed && client.socket.writableLength > 1_000_000) await sleep(5);
  }
}

/** Many connect at once and go without a word. */
async function storm(): Promise<void> {
  const clients = Array.from({ length: 500 }, () => {
    const client = new SoakSocket(port);
    client.send(connectPacket(5, { clientIdentifier: nextName("storm") }));
    return client;
  });
  await sleep(2000);
  for (const client of clients) client.destroy();
  await sleep(2000);
}

/** CONNECT and nothing more, half of a CONNECT, or nothing at all. */
async function beSilent(part: "connect" | "half" | "nothing"): Promise<void> {
  const client = new SoakSocket(port);
  const packet = connectPacket(5, { clientIdentifier: nextName(part), keepAliveSeconds: 2 });
  const bytes = encodePacket(packet, 5);
  if (part === "connect") client.socket.write(bytes);
  if (part === "half") client.socket.write(bytes.subarray(0, 10));
  await closed(client);
  await sleep(100);
}

/** A subscriber that does everything right, for the flood of QoS 1. */
async function consume(): Promise<void> {
  const client = await connectClient("consumer");
  if (client === undefined) return;
  await client.ask(subscribe({ filter: "flood/+", qos: 1 }));
  client.onPacket = (packet) => {
    if (packet.type !== PacketType.publish || packet.packetIdentifier === undefined) return;
    client.send(puback(packet.packetIdentifier));
  };
  await closed(client);
}

/** For ever: the process ends from outside. */
async function again(act: () => Promise<void>): Promise<void> {
  for (;;) {
    await act();
    await sleep(10);
  }
}

function crowd(count: number, act: () => Promise<void>): Promise<void>[] {
  return Array.from({ length: count }, () => again(act));
}

const parts: Record<string, () => Promise<void>[]> = {
  floods: () => [
    ...crowd(2, () => flood("flood/0", 0, 1000)),
    ...crowd(1, () => flood("flood/1", 1, 1000)),
    ...crowd(1, () => flood("flood/2", 2, 1000)),
    ...crowd(1, consume),
    ...crowd(20, readNothing),
    ...crowd(10, acknowledgeNothing),
  ],
  crowds: () => [
    ...crowd(1, fillOfflineSessions),
    ...crowd(1, publishOffline),
    ...crowd(2, retain),
    ...crowd(1, storm),
    ...crowd(200, () => beSilent("connect")),
    ...crowd(200, () => beSilent("half")),
    ...crowd(200, () => beSilent("nothing")),
  ],
};

process.on("disconnect", () => process.exit());
await Promise.all(parts[part]());
