/**
 * tserve as the broker of a house with 200 devices, in the way of Home Assistant: devices announce themselves with
 * retained JSON, say with their will that they are gone, and listen to the birth of the hub.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MqttClient } from "mqtt";
import { type BrokerProcess, cut, withKeepingBroker } from "./broker-process.ts";
import { type Inbox, waitUntil } from "./inbox.ts";

const deviceCount = 200;
const kinds = ["sensor", "light", "switch", "binary_sensor"] as const;

interface Device {
  readonly name: string;
  readonly kind: (typeof kinds)[number];
  readonly client: MqttClient;
  readonly inbox: Inbox;
}

/** What the hub knows: the last message of each topic, and how often each came. */
class Hub {
  readonly state = new Map<string, string>();
  readonly counts = new Map<string, number>();
  readonly retained = new Set<string>();
  readonly client: MqttClient;

  constructor(client: MqttClient) {
    this.client = client;
    client.on("message", (topic, payload, { retain }) => {
      this.state.set(topic, payload.toString());
      this.counts.set(topic, (this.counts.get(topic) ?? 0) + 1);
      if (retain) this.retained.add(topic);
    });
  }

  static async start(broker: BrokerProcess, options: object): Promise<Hub> {
    const will = {
      topic: "homeassistant/status",
      payload: Buffer.from("offline"),
      qos: 1 as const,
      retain: true,
    };
    const { client } = await broker.connect({ ...options, will });
    const hub = new Hub(client);
    await client.subscribeAsync({ "homeassistant/+/+/config": { qos: 1 }, "home/#": { qos: 1 } });
    await client.publishAsync("homeassistant/status", "online", { qos: 1, retain: true });
    return hub;
  }

  count(last: string): number {
    return [...this.state.keys()].filter((topic) => topic.endsWith(`/${last}`)).length;
  }

  async waitFor(last: string, value: string, count: number): Promise<void> {
    const found = () =>
      [...this.state].filter(([topic, text]) => topic.endsWith(`/${last}`) && text === value);
    await waitUntil(
      () => found().length >= count,
      () => `${count} times ${last} ${value}, not ${found().length}`,
    );
    assert.equal(found().length, count);
  }
}

function configOf(name: string, kind: string): string {
  return JSON.stringify({
    name: `Gerät ${name} – ☀`,
    unique_id: name,
    state_topic: `home/${name}/state`,
    availability_topic: `home/${name}/availability`,
    ...(kind === "sensor" ? { unit_of_measurement: "°C", device_class: "temperature" } : {}),
    device: { identifiers: [name], manufacturer: "tStack", model: "x".repeat(600) },
  });
}

/** Connects as firmwares do: a will, availability, discovery, and its commands. */
async function startDevice(broker: BrokerProcess, index: number): Promise<Device> {
  const name = `device-${index}`;
  const kind = kinds[index % kinds.length];
  const will = {
    topic: `home/${name}/availability`,
    payload: Buffer.from("offline"),
    qos: 1 as const,
    retain: true,
  };
  const protocolVersion = index % 3 === 0 ? 5 : 4;
  const transport = index % 5 === 0 ? "ws" : "mqtt";
  const options = { clientId: name, protocolVersion, keepalive: 15, will } as const;
  const { client, inbox } = await broker.connect(options, transport);
  await client.subscribeAsync([`home/${name}/set`, "homeassistant/status"], { qos: 1 });
  const retained = { qos: 1, retain: true } as const;
  await client.publishAsync(`homeassistant/${kind}/${name}/config`, configOf(name, kind), retained);
  await client.publishAsync(`home/${name}/availability`, "online", retained);
  // A state for each command, retained, so that a hub that restarts knows it.
  client.on("message", (topic, payload) => {
    if (topic.endsWith("/set")) client.publish(`home/${name}/state`, payload, retained);
  });
  client.publish(`home/${name}/state`, "OFF", { retain: true });
  return { name, kind, client, inbox };
}

async function startDevices(broker: BrokerProcess): Promise<Device[]> {
  const devices: Device[] = [];
  for (let index = 0; index < deviceCount; index += 20) {
    const some = Array.from({ length: 20 }, (_, offset) => startDevice(broker, index + offset));
    devices.push(...(await Promise.all(some)));
  }
  return devices;
}

function assertKnowsEverything(hub: Hub, devices: readonly Device[]): void {
  for (const { name, kind } of devices) {
    const config = hub.state.get(`homeassistant/${kind}/${name}/config`);
    assert.equal(config, configOf(name, kind));
  }
}

test(
  "a house: discovery, commands, availability, and a hub that restarts",
  { timeout: 55_000 },
  () =>
    withKeepingBroker(async (broker) => {
      const hub = await Hub.start(broker, { clientId: "hub" });
      const devices = await startDevices(broker);
      await hub.waitFor("availability", "online", deviceCount);
      await hub.waitFor("state", "OFF", deviceCount);
      assertKnowsEverything(hub, devices);
      for (const { name } of devices) hub.client.publish(`home/${name}/set`, "ON", { qos: 1 });
      await hub.waitFor("state", "ON", deviceCount);

      // A quarter of the house loses its power; half of that is switched off in order.
      const lost = devices.filter((_, index) => index % 4 === 0);
      for (const [index, { client }] of lost.entries()) {
        if (index % 2 === 0) await cut(client);
        else await client.endAsync();
      }
      await hub.waitFor("availability", "offline", lost.length / 2);

      // The hub goes down; all who are left hear of it.
      const left = devices.filter(({ client }) => client.connected);
      await cut(hub.client);
      for (const { inbox } of left) await inbox.takeUntil("offline");

      // It restarts with nothing in its memory, and learns each topic from one retained message.
      const restarted = await Hub.start(broker, { clientId: "hub", protocolVersion: 5 });
      await restarted.waitFor("state", "ON", deviceCount);
      await restarted.waitFor("availability", "offline", lost.length / 2);
      await restarted.waitFor("availability", "online", deviceCount - lost.length / 2);
      assertKnowsEverything(restarted, devices);
      for (const { inbox } of left) await inbox.takeUntil("online");
      assert.equal(restarted.state.size, 3 * deviceCount);
      assert.equal(restarted.retained.size, 3 * deviceCount);
      for (const [topic, count] of restarted.counts) assert.equal(count, 1, topic);

      // A device is taken out of the house: an empty config deletes it for those who come later.
      const [gone] = left;
      await gone.client.publishAsync(`homeassistant/${gone.kind}/${gone.name}/config`, "", {
        qos: 1,
        retain: true,
      });
      const late = await Hub.start(broker, { clientId: "hub-2" });
      await late.waitFor("state", "ON", deviceCount);
      await late.waitFor("availability", "online", deviceCount - lost.length / 2);
      assert.equal(late.count("config"), deviceCount - 1);
      assert.doesNotMatch(broker.log, /a bug in tStack|"level":"error"/);
    }),
);
