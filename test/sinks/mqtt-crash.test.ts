/** A stream over the bridge to a tserve that is killed in the middle of it: what was said to be there, arrives. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import mqtt from "mqtt";
import { MessageMaker } from "../../src/sinks/conformance/messages.ts";
import { SinkUnavailable } from "../../src/sinks/index.ts";
import { mqttSink } from "../../src/sinks/mqtt/index.ts";
import { BrokerProcess } from "../interop/broker-process.ts";

const batchSize = 500;
const kills = 2;

test("nothing that was acknowledged is missing when the far broker is killed in the stream", async () => {
  const far = await BrokerProcess.startWith({ keeps: true });
  const url = far.url("mqtt");
  const reader = mqtt.connect(url, {
    protocolVersion: 5,
    clientId: "reader",
    clean: false,
    properties: { sessionExpiryInterval: 3600 },
    reconnectPeriod: 50,
  });
  reader.on("error", () => undefined); // it comes back
  const arrived = new Set<string>();
  const configured = await mqttSink.configure({ "mqtt-url": url });
  const sink = await configured.open({ stdout: process.stdout, say: () => undefined });
  try {
    await new Promise<void>((resolve) => reader.once("connect", () => resolve()));
    await reader.subscribeAsync("site/#", { qos: 1 });
    reader.on("message", (_topic, payload) => arrived.add(payload.toString()));
    const maker = new MessageMaker();
    const written: string[] = [];
    let [interrupted, isOver] = [0, false];
    const stream = async () => {
      while (!isOver) {
        const batch = maker.numbers(batchSize);
        for (let isDone = false; !isDone; ) {
          try {
            await sink.write(batch);
            isDone = true;
          } catch (error) {
            if (!(error instanceof SinkUnavailable)) throw error;
            interrupted += 1;
            await sleep(20);
          }
        }
        written.push(...batch.map(({ message }) => message.payload.toString()));
      }
    };
    const streaming = stream();
    for (let count = 0; count < kills; count += 1) {
      const enough = written.length + 4 * batchSize;
      while (written.length < enough) await sleep(1);
      await far.restart();
    }
    isOver = true;
    await streaming;
    const deadline = Date.now() + 20_000;
    const missing = () => written.filter((payload) => !arrived.has(payload));
    while (missing().length > 0 && Date.now() < deadline) await sleep(50);
    assert.deepEqual(missing(), []);
    assert.ok(interrupted >= kills, "it was away each time");
  } finally {
    await sink.close();
    await reader.endAsync(true);
    await far.stop();
  }
});
