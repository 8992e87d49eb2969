/** MQTT.js when something fails: a broker that is restarted, a client that is frozen, one that is killed. */
import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import type { IConnackPacket, MqttClient } from "mqtt";
import type { RunningProgram } from "../cli/programs.ts";
import {
  type BrokerProcess,
  persistent,
  transports,
  type Version,
  versions,
  withBroker,
} from "./broker-process.ts";
import { countTo } from "./inbox.ts";

const clientFile = path.join(import.meta.dirname, "mqtt-js-process.ts");

function startClient(broker: BrokerProcess, version: Version, name: string): RunningProgram {
  const options = {
    ...persistent(version, name),
    keepalive: 1,
    will: { topic: `will/${name}`, payload: name, qos: 1, retain: false },
  };
  const filter = `to/${name}`;
  return broker.start(process.execPath, [
    clientFile,
    broker.url("mqtt"),
    JSON.stringify(options),
    filter,
  ]);
}

function nextConnack(client: MqttClient): Promise<IConnackPacket> {
  return new Promise((resolve) => client.once("connect", resolve));
}

for (const transport of transports) {
  test(`MQTT.js comes back over ${transport} when the broker is killed and started again`, () =>
    withBroker(async (broker) => {
      const clients = await Promise.all(
        versions.map(async (version) => {
          // 3.1 cannot say that a session is gone: there MQTT.js subscribes anew after a clean start only.
          const options = {
            ...persistent(version, `back-${version.name}`),
            reconnectPeriod: 100,
            clean: version.name === "3.1",
          };
          const connected = await broker.connect(options, transport);
          await connected.client.subscribeAsync(`back/${version.name}`, { qos: 2 });
          return { version, ...connected };
        }),
      );
      const back = Promise.all(clients.map(({ client }) => nextConnack(client)));
      const whileDown: Promise<unknown>[] = [];
      await broker.restart(async () => {
        for (const { client, version } of clients) {
          for (const qos of [1, 2] as const) {
            const topic = `kept/${version.name}/${qos}`;
            whileDown.push(client.publishAsync(topic, "while down", { qos, retain: true }));
          }
        }
      });
      // It keeps nothing on disk yet, and says so.
      for (const { sessionPresent } of await back) assert.equal(sessionPresent, false);
      await Promise.all(whileDown);
      const late = await broker.connect({ protocolVersion: 5 });
      await late.client.subscribeAsync("kept/#", { qos: 2 });
      assert.equal((await late.inbox.waitFor(6)).length, 6);
      for (const { client, version, inbox } of clients) {
        // Subscribed anew by MQTT.js, because the session was not there.
        await client.subscribeAsync("barrier");
        for (const text of countTo(50)) {
          await late.client.publishAsync(`back/${version.name}`, text, { qos: 2 });
        }
        const messages = await inbox.takeUntil("50");
        assert.equal(messages.length, 50);
      }
    }));
}

test("a frozen client is found by its keep alive, and is back when it thaws", () =>
  withBroker(async (broker) => {
    const watcher = await broker.connect();
    await watcher.client.subscribeAsync("will/#", { qos: 1 });
    await Promise.all(
      versions.map(async (version) => {
        const name = `frozen-${version.name}`;
        const program = startClient(broker, version, name);
        await program.saw("connected false", "stdout");
        program.child.kill("SIGSTOP");
        const frozenAt = performance.now();
        await watcher.client.publishAsync(`to/${name}`, "sent to the ice", { qos: 2 });
        while (!watcher.inbox.texts.includes(name))
          await watcher.inbox.waitFor(watcher.inbox.texts.length + 1);
        const milliseconds = performance.now() - frozenAt;
        // One and a half times a second, counted from the last packet [MQTT-3.1.2-22].
        assert.ok(milliseconds > 400 && milliseconds < 4000, `${milliseconds} ms`);
        await watcher.client.publishAsync(`to/${name}`, "queued", { qos: 2 });
        program.child.kill("SIGCONT");
        await program.saw(`message to/${name} queued`, "stdout");
        const told = program.bytes.toString();
        if (version.isV5) assert.match(told, /^disconnect 141$/m); // [MQTT-4.13.1-1]
        if (version.name !== "3.1") assert.match(told, /^connected true$/m);
        assert.equal(told.match(/sent to the ice/g)?.length, 1); // QoS 2: once
        assert.equal(told.match(/queued/g)?.length, 1);
      }),
    );
    assert.equal(broker.log.match(/nothing came for 1\.5 times the keep alive of 1 s/g)?.length, 3);
  }));

test("a killed client leaves its will, and its session goes on without it", () =>
  withBroker(async (broker) => {
    const watcher = await broker.connect();
    await watcher.client.subscribeAsync("will/#", { qos: 1 });
    for (const version of versions) {
      const name = `killed-${version.name}`;
      const program = startClient(broker, version, name);
      await program.saw("connected false", "stdout");
      const killedAt = performance.now();
      program.child.kill("SIGKILL");
      await watcher.inbox.takeUntil(name);
      assert.ok(performance.now() - killedAt < 1000); // not by its keep alive
      await watcher.client.publishAsync(`to/${name}`, "for later", { qos: 2 });
      const again = startClient(broker, version, name);
      await again.saw(`message to/${name} for later`, "stdout");
    }
  }));

test("a client of 5.0 may leave with its will", () =>
  withBroker(async (broker) => {
    const watcher = await broker.connect();
    await watcher.client.subscribeAsync("will/#", { qos: 1 });
    const will = { topic: "will/x", payload: Buffer.from("left"), qos: 1, retain: false } as const;
    const leaving = await broker.connect({ protocolVersion: 5, will });
    await leaving.client.endAsync(false, { reasonCode: 4 });
    await watcher.inbox.takeUntil("left");
  }));
