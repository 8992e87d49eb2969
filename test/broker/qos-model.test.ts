/**
 * Clients with sessions, connections that are lost at any byte, and what QoS 0, 1 and 2 promise nevertheless.
 * `SessionWitness` holds the broker to the rules on the way; here stands what must have arrived in the end.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { QoS } from "../../src/codec/index.ts";
import type { PersistentClient } from "./persistent-client.ts";
import { type Published, QosWorld, type Step, stepsFor } from "./qos-world.ts";

const grantedQos = fc.constantFrom<QoS[]>(0, 1, 2, 2, 2);

function countOf(client: PersistentClient, name: string): number {
  return client.arrivals.filter((arrival) => arrival.name === name).length;
}

/** What `to` must have of what `from` has published. */
function checkArrivals(
  world: QosWorld,
  from: PersistentClient,
  to: PersistentClient,
  granted: QoS,
): void {
  const published = world.published.filter((message) => message.from === from);
  for (const { name, qos } of published) {
    const count = countOf(to, name);
    const sent = to.witness.sentAnew.get(name) ?? 0;
    const heard = from.witness.heard.get(name) ?? 0;
    const effective = Math.min(qos, granted);
    if (qos !== 1) assert.ok(sent <= 1, `${name} went out ${sent} times`);
    assert.ok(sent <= heard, `${name} came ${heard} times and went out ${sent} times`);
    if (effective === 0) assert.ok(count <= sent);
    else if (!from.acknowledged.has(name)) assert.ok(effective === 1 || count <= 1);
    else if (effective === 1) assert.ok(count >= 1, `${name} is lost`);
    else assert.equal(count, 1, `${name} at QoS 2`);
  }
  checkOrder(
    published.filter(({ qos }) => qos === 0),
    to,
  );
  // Granted QoS 0, what is lost the first time may come later, when its publisher sends it again.
  if (granted > 0)
    checkOrder(
      published.filter(({ qos }) => qos > 0),
      to,
    );
}

/** By their first arrivals. */
function checkOrder(published: readonly Published[], { arrivals }: PersistentClient): void {
  const names = published.map(({ name }) => name);
  const first = new Set(arrivals.map(({ name }) => name).filter((name) => names.includes(name)));
  const inOrder = names.filter((name) => first.has(name));
  assert.deepEqual([...first], inOrder, "first arrivals in the order of publication");
}

function publishedByFirst(step: Step): Step {
  return step.action === "publish" ? { ...step, client: 0 } : step;
}

/** Everybody has come back and answered everything. */
async function checkRest(world: QosWorld): Promise<void> {
  await world.comeToRest();
  for (const client of world.clients) {
    client.witness.checkEmpty();
    assert.equal(client.hasUnacknowledged, false, "what was sent is acknowledged in the end");
  }
  await world.checkSilence();
}

test("5.0 [MQTT-4.3.3-2] [MQTT-4.4.0-1] [MQTT-4.6.0-1] 3.1.1 [MQTT-4.4.0-1] what one publishes reaches the other as its QoS promises, over lost connections", async () => {
  const property = fc.asyncProperty(stepsFor(1), grantedQos, async (steps, granted) => {
    const world = new QosWorld();
    const publisher = await world.join("publisher");
    const subscribed = { filter: "from/publisher", qos: granted };
    const subscriber = await world.join("subscriber", subscribed);
    await world.run(steps.map(publishedByFirst));
    await checkRest(world);
    checkArrivals(world, publisher, subscriber, granted);
  });
  await fc.assert(property, { numRuns: 500 });
});

test("what was acknowledged arrives, also when its publisher never comes back", async () => {
  const property = fc.asyncProperty(stepsFor(1), grantedQos, async (steps, granted) => {
    const world = new QosWorld();
    const publisher = await world.join("publisher");
    const subscribed = { filter: "from/publisher", qos: granted };
    const subscriber = await world.join("subscriber", subscribed);
    await world.run(steps.map(publishedByFirst));
    await world.cut(publisher, steps[0]);
    await world.comeToRest([subscriber]);
    subscriber.witness.checkEmpty();
    checkArrivals(world, publisher, subscriber, granted);
  });
  await fc.assert(property, { numRuns: 300 });
});

test("two publish to each other over lost connections", async () => {
  const property = fc.asyncProperty(stepsFor(1), async (steps) => {
    const world = new QosWorld();
    const one = await world.join("one", { filter: "from/two", qos: 2 });
    const two = await world.join("two", { filter: "from/one", qos: 2 });
    await world.run(steps);
    await checkRest(world);
    checkArrivals(world, one, two, 2);
    checkArrivals(world, two, one, 2);
  });
  await fc.assert(property, { numRuns: 500 });
});

test("5.0 [MQTT-4.8.2-4] [MQTT-4.8.2-5] a message for a group reaches a member, over lost connections and with members that come and go", async () => {
  const property = fc.asyncProperty(stepsFor(2, { beginAnew: 1 }), async (steps) => {
    const world = new QosWorld();
    const publisher = await world.join("publisher");
    const shared = { filter: "$share/group/from/publisher", qos: 2 } as const;
    const staying = await world.join("staying", shared);
    const passing = await world.join("passing", shared);
    await world.run(steps.map(publishedByFirst).map(begunAnewByLast));
    // One takes nothing more and is lost: it keeps messages of QoS 2, the others go to who stays.
    await world.comeToRest([publisher, staying]);
    await world.cut(passing, { toBroker: 0, toClient: 0, settles: true });
    await world.comeToRest([publisher, staying]);
    checkGroup(world, publisher, [staying, passing], false);
    await checkRest(world);
    const mayLose = steps.some(({ action }) => action === "beginAnew");
    checkGroup(world, publisher, [staying, passing], !mayLose);
  });
  await fc.assert(property, { numRuns: 500 });
});

function begunAnewByLast(step: Step): Step {
  return step.action === "beginAnew" ? { ...step, client: 2 } : step;
}

/** What the members have among them; `hasQos2` says that what was acknowledged at QoS 2 must be there too. */
function checkGroup(
  world: QosWorld,
  publisher: PersistentClient,
  members: readonly PersistentClient[],
  hasQos2: boolean,
): void {
  for (const { name, qos } of world.published) {
    const count = sum(members.map((member) => countOf(member, name)));
    const finished = sum(members.map(({ witness }) => witness.finished.get(name) ?? 0));
    assert.ok(finished <= (publisher.witness.heard.get(name) ?? 0), `${name} went to two members`);
    if (qos !== 1) assert.ok(count <= 1, `${name} at QoS ${qos} came ${count} times`);
    if (!publisher.acknowledged.has(name) || (qos === 2 && !hasQos2)) continue;
    assert.ok(count >= 1, `${name} at QoS ${qos} is lost`);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
