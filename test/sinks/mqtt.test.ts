/**
 * The conformance suite of sinks against a tserve that keeps what it has on disk, and is killed and started again. A
 * client with a session of its own reads what arrives; what is no number goes by the topics of the suite.
 */
import { after, before, test } from "node:test";
import mqtt, { type MqttClient } from "mqtt";
import type { StoredValue } from "../../src/sinks/conformance/index.ts";
import { runSinkCheck, sinkChecks } from "../../src/sinks/conformance/test-sink.ts";
import { mqttSink } from "../../src/sinks/mqtt/index.ts";
import { BrokerProcess } from "../interop/broker-process.ts";

/** Not for a bridge, which carries messages: names, tags and fields are what a mapping makes of them. */
const checksOfReadings: ReadonlySet<string> = new Set([
  "other series and fields have other names, the same the same",
  "every field of every reading of a message is there",
]);

const marker = "marker";
let far: BrokerProcess;
let checks = 0;

before(async () => {
  far = await BrokerProcess.startWith({ keeps: true });
});
after(() => far.stop());

function toValues(topic: string, payload: string): readonly StoredValue[] {
  const one = (field: string, value: StoredValue["value"]) => [
    { series: topic, field, time: 0, value },
  ];
  if (topic.endsWith("/note")) return one("value", payload);
  const value = JSON.parse(payload);
  if (typeof value !== "object") return one("value", value);
  return Object.entries(value).flatMap(([field, part]) => one(field, part as number));
}

/** Waits for what the other end already has: a marker that is sent last comes last. */
async function settle(reader: MqttClient, prefix: string): Promise<void> {
  const topic = `${prefix}${marker}`;
  const arrived = new Promise<void>((resolve) => {
    reader.on("message", (name) => name === topic && resolve());
  });
  await reader.publishAsync(topic, "", { qos: 2 });
  await arrived;
}

async function open() {
  checks += 1;
  const prefix = `check${checks}/`;
  const stored: StoredValue[] = [];
  const url = far.url("mqtt");
  const reader = mqtt.connect(url, {
    protocolVersion: 5,
    clientId: prefix,
    clean: false,
    properties: { sessionExpiryInterval: 3600 },
    reconnectPeriod: 50,
  });
  reader.on("error", () => undefined); // it comes back
  await new Promise<void>((resolve) => reader.once("connect", () => resolve()));
  await reader.subscribeAsync(`${prefix}#`, { qos: 2 });
  reader.on("message", (topic, payload) => {
    if (topic !== `${prefix}${marker}`) stored.push(...toValues(topic, payload.toString()));
  });
  let comeBack: () => Promise<void> = async () => undefined;
  return {
    sink: await mqttSink.configure({ "mqtt-url": url, "mqtt-qos": "2", "mqtt-add": prefix }),
    readBack: async () => {
      await settle(reader, prefix);
      return stored;
    },
    interrupt: async () => {
      const { promise: gate, resolve: openGate } = Promise.withResolvers<void>();
      const { promise: isDown, resolve: down } = Promise.withResolvers<void>();
      const done = far.restart(() => {
        down();
        return gate;
      });
      comeBack = () => {
        openGate();
        return done;
      };
      await isDown;
    },
    resume: () => comeBack(),
    end: async () => {
      await reader.endAsync(true);
    },
  };
}

const traits = {
  timeStep: Number.POSITIVE_INFINITY,
  keepsText: true,
  keepsBooleans: true,
  hasKey: false,
};
for (const [title, check] of Object.entries(sinkChecks)) {
  if (checksOfReadings.has(title)) continue;
  test(`mqtt: ${title}`, () => runSinkCheck(check, traits, open));
}
