/**
 * Bridges of real programs: tconsume in both directions between two tserve of which one is killed and started again,
 * and between tserve and mosquitto. Nothing is missing, and nothing goes round in circles.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import mqtt, { type IPublishPacket, type MqttClient } from "mqtt";
import { Mosquitto, withoutMosquitto } from "../cli/mosquitto.ts";
import { RunningProgram } from "../cli/programs.ts";
import { BrokerProcess } from "../interop/broker-process.ts";

const program = path.join(import.meta.dirname, "../../src/cli/tconsume.ts");

interface Bridge {
  readonly from: string;
  readonly to: string;
  readonly topic: string;
  readonly args?: readonly string[];
}

interface World {
  bridge(bridge: Bridge): Promise<RunningProgram>;
  /** A client that comes back by itself, and notes everything below the filter. */
  connect(url: string, filter: string): Promise<{ client: MqttClient; packets: IPublishPacket[] }>;
}

/** What is opened through it ends with it. */
async function inWorld(use: (world: World) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "bridge-"));
  const programs: RunningProgram[] = [];
  const clients: MqttClient[] = [];
  try {
    await use({
      bridge: async ({ from, to, topic, args = [] }) => {
        const data = path.join(folder, String(programs.length));
        const where = ["-L", from, "-t", topic, "--data", data, "--sink", "mqtt", "--mqtt-url", to];
        const running = new RunningProgram(process.execPath, [program, ...where, ...args]);
        programs.push(running);
        await running.saw("tconsume: consumes");
        return running;
      },
      connect: async (url, filter) => {
        const client = mqtt.connect(url, {
          protocolVersion: 5,
          clientId: `test-${clients.length}`,
          clean: false,
          properties: { sessionExpiryInterval: 3600 },
          reconnectPeriod: 50,
        });
        clients.push(client);
        client.on("error", () => undefined); // it comes back
        const packets: IPublishPacket[] = [];
        client.on("message", (_topic, _payload, packet) => packets.push(packet));
        await new Promise<void>((resolve) => client.once("connect", () => resolve()));
        await client.subscribeAsync(filter, { qos: 2 });
        return { client, packets };
      },
    });
  } finally {
    for (const client of clients) client.end(true);
    for (const { child } of programs) child.kill("SIGKILL");
    await Promise.all(programs.map(({ ended }) => ended));
    rmSync(folder, { recursive: true });
  }
}

const count = 120;
const patienceMilliseconds = 30_000;

async function until(isTrue: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + patienceMilliseconds;
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error(`in vain: ${what}`);
    await sleep(20);
  }
}

const payloadsOf = (packets: readonly IPublishPacket[]) =>
  packets.map(({ payload }) => payload.toString());
const missingOf = (packets: readonly IPublishPacket[], expected: readonly string[]) => {
  const there = new Set(payloadsOf(packets));
  return expected.filter((payload) => !there.has(payload));
};
const numbered = (name: string) => Array.from({ length: count }, (_, index) => `${name} ${index}`);

test("two bridges in both directions lose nothing while a broker of both is killed, and end", async () => {
  const [one, two] = [
    await BrokerProcess.startWith({ keeps: true }),
    await BrokerProcess.startWith({ keeps: true }),
  ];
  try {
    await inWorld(async ({ bridge, connect }) => {
      const args = ["--mqtt-bridge", "both"];
      const [a, b] = [one.url("mqtt"), two.url("mqtt")];
      await bridge({ from: a, to: b, topic: "site/#", args });
      await bridge({ from: b, to: a, topic: "site/#", args });
      const [atOne, atTwo] = [await connect(a, "site/#"), await connect(b, "site/#")];
      const [fromOne, fromTwo] = [numbered("one"), numbered("two")];
      const send = async (client: MqttClient, payloads: readonly string[]) => {
        for (const payload of payloads) {
          await client.publishAsync("site/room/temp", payload, { qos: 1 });
          await sleep(5);
        }
      };
      const sending = Promise.all([send(atOne.client, fromOne), send(atTwo.client, fromTwo)]);
      await until(() => atTwo.packets.length > count / 4, "the first quarter");
      // It is the source of one bridge and the destination of the other.
      await two.restart();
      await sending;
      const all = [...fromOne, ...fromTwo];
      for (const { packets } of [atOne, atTwo]) {
        await until(() => missingOf(packets, all).length === 0, "all messages at both");
      }
      // What circles would come for ever: after the last message nothing comes any more.
      const last = "the last";
      await atOne.client.publishAsync("site/room/temp", last, { qos: 1 });
      await until(() => missingOf(atTwo.packets, [last]).length === 0, "the last message");
      const before = [atOne.packets.length, atTwo.packets.length];
      await sleep(500);
      assert.deepEqual([atOne.packets.length, atTwo.packets.length], before);
      assert.equal(payloadsOf(atOne.packets).filter((payload) => payload === last).length, 1);
    });
  } finally {
    await one.stop();
    await two.stop();
  }
});

test("bridges with names of their own end a circle after one round", async () => {
  const [one, two] = [await BrokerProcess.start(), await BrokerProcess.start()];
  try {
    await inWorld(async ({ bridge, connect }) => {
      const [a, b] = [one.url("mqtt"), two.url("mqtt")];
      const there = await bridge({ from: a, to: b, topic: "site/#" });
      await bridge({ from: b, to: a, topic: "site/#" });
      const atOne = await connect(a, "site/#");
      await atOne.client.publishAsync("site/temp", "1", { qos: 1 });
      await there.saw("are left out, first site/temp");
      await until(() => atOne.packets.length >= 2, "the echo");
      assert.deepEqual(payloadsOf(atOne.packets), ["1", "1"]);
      const [, echo] = atOne.packets;
      const trace = echo.properties?.userProperties?.["tstack-via"];
      assert.equal(Array.isArray(trace) && trace.length, 2, `${trace}`);
    });
  } finally {
    await one.stop();
    await two.stop();
  }
});

test("to and from mosquitto, messages stay what they are", { skip: withoutMosquitto }, async () => {
  const broker = await BrokerProcess.start();
  const mosquitto = await Mosquitto.start();
  try {
    await inWorld(async ({ bridge, connect }) => {
      const [a, b] = [broker.url("mqtt"), `mqtt://127.0.0.1:${mosquitto.port}`];
      const args = ["--mqtt-strip", "home/", "--mqtt-add", "remote/", "--mqtt-retain"];
      await bridge({ from: a, to: b, topic: "home/#", args });
      await bridge({ from: b, to: a, topic: "back/#" });
      const [atOne, atTwo] = [await connect(a, "back/#"), await connect(b, "remote/#")];
      const payload = Buffer.from('{ "temp": 21.50 }');
      const properties = {
        contentType: "application/json",
        responseTopic: "home/answers",
        correlationData: Buffer.from([7, 0]),
        userProperties: { one: ["1", "2"], toString: "3", ["__proto__"]: "4" },
      };
      const options = { qos: 2, retain: true, properties } as const;
      await atOne.client.publishAsync("home/hall/temp", payload, options);
      await until(() => atTwo.packets.length === 1, "the message at mosquitto");
      const [packet] = atTwo.packets;
      assert.equal(packet.topic, "remote/hall/temp");
      assert.deepEqual(packet.payload, payload);
      assert.equal(packet.qos, 1, "tconsume took it with QoS 1");
      const { "tstack-via": trace, ...user } = { ...packet.properties?.userProperties };
      assert.match(`${trace}`, /^[0-9a-f]{12}$/);
      assert.deepEqual(user, { ...properties.userProperties });
      assert.equal(packet.properties?.contentType, properties.contentType);
      assert.equal(packet.properties?.responseTopic, properties.responseTopic);
      assert.deepEqual(packet.properties?.correlationData, properties.correlationData);
      const late = await connect(b, "remote/hall/+");
      await until(() => late.packets.length === 1, "the retained message");
      assert.equal(late.packets[0].retain, true);
      await atTwo.client.publishAsync("back/x", "y");
      await until(() => atOne.packets.length === 1, "the message at tserve");
      assert.equal(atOne.packets[0].topic, "back/x");
    });
  } finally {
    await broker.stop();
    await mosquitto.stop();
  }
});
