/**
 * 50 MQTT.js clients of 3.1.1 and 5.0 that publish to each other at every QoS while their connections break, in
 * sessions that outlive them. QoS 1 comes at least once, QoS 2 exactly once, all in the order of each publisher, topic
 * and QoS. SOAK_SEED repeats what was drawn (not the timing), SOAK_SECONDS makes it longer.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type BrokerProcess, withKeepingBroker } from "./broker-process.ts";
import { waitUntil } from "./inbox.ts";
import {
  type Arrivals,
  type Draw,
  drawFrom,
  everyQoS,
  type QoS,
  SoakClient,
} from "./soak-client.ts";

const clientCount = 50;
const publishersPerSubscriber = 4;
const seconds = Number(process.env.SOAK_SECONDS ?? 12);

test(
  "a soak: sessions of 50 clients survive random ends of their connections",
  {
    timeout: (seconds + 40) * 1000,
  },
  (context) =>
    withKeepingBroker(async (broker) => {
      const seed = Number(process.env.SOAK_SEED ?? Math.floor(Math.random() * 2 ** 31));
      context.diagnostic(`seed ${seed}`);
      const draw = drawFrom(seed);
      const clients = createClients(broker, draw);
      try {
        await subscribeAll(clients, draw);
        const until = performance.now() + seconds * 1000;
        await Promise.all(clients.map((client) => client.live(until)));
        await waitForAll(clients);
        await sleep(300); // time for what must not come
      } finally {
        for (const client of clients) client.end();
      }
      report(context, clients);
      const complaints = clients.flatMap((client) => [
        ...client.complaints,
        ...complaintsOf(client, clients),
      ]);
      assert.deepEqual(complaints.slice(0, 20), [], `seed ${seed}`);
      assert.doesNotMatch(broker.log, /a bug in tStack|"level":"error"/);
    }),
);

function createClients(broker: BrokerProcess, draw: Draw): SoakClient[] {
  return Array.from({ length: clientCount }, (_, index) => {
    const protocolVersion = index % 2 === 0 ? 4 : 5;
    const url = broker.url(index % 5 === 0 ? "ws" : "mqtt");
    return new SoakClient(`c${index}`, url, { protocolVersion }, drawFrom(draw(2 ** 31)));
  });
}

async function subscribeAll(clients: readonly SoakClient[], draw: Draw): Promise<void> {
  for (const client of clients) {
    const publishers = new Set<string>();
    while (publishers.size < publishersPerSubscriber) publishers.add(`c${draw(clientCount)}`);
    for (const publisher of publishers) await client.subscribe(publisher, everyQoS[draw(3)]);
  }
}

/** Everything that one subscriber was owed and got under one key. */
interface Delivery {
  readonly key: string;
  readonly publishedQos: QoS;
  readonly arrivals: Arrivals;
  /** Numbers from 1 on, without those that MQTT.js gave back. */
  readonly owed: readonly number[];
}

function deliveriesTo(subscriber: SoakClient, clients: readonly SoakClient[]): Delivery[] {
  return [...subscriber.arrivals].map(([key, arrivals]) => {
    const publisher = clients[Number(key.split("/")[1].slice(1))];
    const count = publisher.published.get(key) ?? 0;
    const owed = Array.from({ length: count }, (_, index) => index + 1).filter(
      (number) => !publisher.givenUp.has(`${key} ${number}`),
    );
    return { key, publishedQos: Number(key.at(-1)) as QoS, arrivals, owed };
  });
}

function missing({ publishedQos, arrivals, owed }: Delivery): number[] {
  if (Math.min(publishedQos, arrivals.grantedQos) === 0) return [];
  const came = new Set(arrivals.numbers);
  return owed.filter((number) => !came.has(number));
}

async function waitForAll(clients: readonly SoakClient[]): Promise<void> {
  const isComplete = (): boolean =>
    clients.every((client) =>
      deliveriesTo(client, clients).every((delivery) => missing(delivery).length === 0),
    );
  // What never comes is told, with its number, by the complaints.
  await waitUntil(isComplete, () => "all messages", 10_000).catch(() => undefined);
}

function complaintsOf(subscriber: SoakClient, clients: readonly SoakClient[]): string[] {
  const complaints: string[] = [];
  for (const delivery of deliveriesTo(subscriber, clients)) {
    const { key, publishedQos, arrivals } = delivery;
    const { numbers, grantedQos } = arrivals;
    const where = `${subscriber.name} from ${key} (granted ${grantedQos})`;
    const lost = missing(delivery);
    if (lost.length > 0) complaints.push(`${where}: lost ${lost}`);
    const firsts = [...new Set(numbers)];
    // A publisher may repeat QoS 1, and the broker may repeat what was granted as QoS 1.
    const mayRepeat = publishedQos === 1 || (publishedQos === 2 && grantedQos === 1);
    if (!mayRepeat && firsts.length < numbers.length) complaints.push(`${where}: twice ${numbers}`);
    if (firsts.some((number, index) => index > 0 && number < firsts[index - 1])) {
      complaints.push(`${where}: out of order ${firsts}`);
    }
  }
  return complaints;
}

/** Says what happened, and fails if it was too little to prove anything. */
function report(context: TestContext, clients: readonly SoakClient[]): void {
  const sum = (numberOf: (client: SoakClient) => number): number =>
    clients.reduce((total, client) => total + numberOf(client), 0);
  const published = sum(({ published }) => [...published.values()].reduce((a, b) => a + b, 0));
  const all = clients.flatMap(({ arrivals }) => [...arrivals.values()]);
  const arrived = all.reduce((total, { numbers }) => total + numbers.length, 0);
  const repeated = arrived - all.reduce((total, { numbers }) => total + new Set(numbers).size, 0);
  const brutal = sum(({ disconnects }) => disconnects.brutal);
  const clean = sum(({ disconnects }) => disconnects.clean);
  const givenUp = sum((client) => client.givenUp.size);
  context.diagnostic(
    `published ${published}, given up ${givenUp}, arrived ${arrived}, repeated ${repeated}, cut ${brutal}, left ${clean}`,
  );
  assert.ok(published > 3000 && arrived > published && brutal > 50 && clean > 50);
  // What is under way when a connection ends, and on a busy disk that is more.
  assert.ok(givenUp < published / 10, "MQTT.js gave back too much");
}
