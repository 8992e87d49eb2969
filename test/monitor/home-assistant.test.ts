/**
 * The discovery message against what Home Assistant documents and checks: its schemas of device discovery and of MQTT sensors
 * (homeassistant/components/mqtt: schemas.py, sensor.py, binary_sensor.py), and which unit and state class go with which
 * device class (homeassistant/components/sensor/const.py), as far as tmonitor uses them. Unknown keys are mistakes here.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { type Figure, type FigureKind, figureKinds } from "../../src/cli/monitor/figure.ts";
import {
  birthTopic,
  discoveryTopic,
  HomeAssistantDevice,
} from "../../src/cli/monitor/home-assistant.ts";

const topic = z.string().regex(/^[^+#\0]+$/);
const text = z.string().min(1);

/** Device class: its units, and its state classes. */
const sensorClasses: Readonly<Record<string, readonly [RegExp, readonly string[]]>> = {
  data_size: [
    /^(?:[kMGTPEZY]?(?:bit|B)|[KMGTPEZY]iB)$/,
    ["measurement", "total", "total_increasing"],
  ],
  data_rate: [/^(?:[kMG]?(?:bit|B)\/s|[KMG]iB\/s)$/, ["measurement"]],
  temperature: [/^(?:°C|°F|K)$/, ["measurement"]],
  duration: [/^(?:d|h|min|s|ms)$/, ["measurement", "total", "total_increasing"]],
};

const shared = {
  name: text,
  unique_id: text,
  state_topic: topic,
  value_template: text.optional(),
  expire_after: z.int().positive().optional(),
};

const sensor = z
  .strictObject({
    ...shared,
    platform: z.literal("sensor"),
    device_class: z.enum(Object.keys(sensorClasses)).optional(),
    unit_of_measurement: text.optional(),
    state_class: z.enum(["measurement", "total", "total_increasing"]).optional(),
  })
  .refine(({ device_class, unit_of_measurement = "", state_class = "measurement" }) => {
    if (device_class === undefined) return true;
    const [unit, stateClasses] = sensorClasses[device_class];
    return unit.test(unit_of_measurement) && stateClasses.includes(state_class);
  }, "the device class does not go with the unit or the state class");

const binarySensor = z.strictObject({
  ...shared,
  platform: z.literal("binary_sensor"),
  device_class: z.enum(["running", "problem", "connectivity"]).optional(),
  payload_on: text,
  payload_off: text,
});

const discovery = z.strictObject({
  device: z.strictObject({
    identifiers: z.array(text).min(1),
    name: text,
    sw_version: text,
  }),
  origin: z.strictObject({ name: text, sw_version: text.optional() }),
  availability_topic: topic,
  components: z.record(
    z.string().regex(/^[a-zA-Z0-9_-]+$/),
    z.discriminatedUnion("platform", [sensor, binarySensor]),
  ),
});

const options = {
  name: "web1",
  version: "1.2.3",
  json: false,
  expireSeconds: 30,
};
const kinds = Object.keys(figureKinds) as FigureKind[];
const oneOfEach: readonly Figure[] = kinds.map((kind) => ({
  path: `some/${kind}`,
  kind,
  value: 1,
}));

function describe(figures: readonly Figure[], more: Partial<typeof options> = {}) {
  const device = new HomeAssistantDevice({ ...options, ...more });
  device.learn(figures);
  return discovery.parse(JSON.parse(device.describe() ?? ""));
}

test("figures of every kind are what Home Assistant takes", () => {
  const { device, availability_topic, components } = describe(oneOfEach);
  assert.deepEqual(device.identifiers, ["tmonitor_web1"]);
  assert.equal(availability_topic, "web1/status");
  assert.equal(Object.keys(components).length, kinds.length);
  assert.deepEqual(components.some_bytes, {
    platform: "sensor",
    name: "Some bytes",
    unique_id: "tmonitor_web1_some_bytes",
    state_topic: "web1/some/bytes",
    device_class: "data_size",
    unit_of_measurement: "B",
    state_class: "measurement",
    expire_after: 30,
  });
  assert.deepEqual(components.some_running, {
    platform: "binary_sensor",
    name: "Some running",
    unique_id: "tmonitor_web1_some_running",
    state_topic: "web1/some/running",
    device_class: "running",
    payload_on: "1",
    payload_off: "0",
    expire_after: 30,
  });
});

test("the schema of this test would see a mistake", () => {
  const message = describe(oneOfEach);
  const { some_celsius, some_count } = message.components;
  for (const wrong of [
    { ...some_celsius, unit_of_measurement: "B" },
    { ...some_celsius, state_class: "total" },
    { ...some_count, unit_of_measuremnt: "B" },
    { ...some_count, state_topic: "a/#" },
    { ...some_count, platform: "light" },
  ]) {
    assert.throws(() => discovery.parse({ ...message, components: { wrong } }), wrong.platform);
  }
});

test("with --json each figure is found by a template, whatever its name is", () => {
  const figures: Figure[] = [
    { path: "cpu/load1", kind: "load", value: 1 },
    { path: `disks/a"]}}{{x\\'/free`, kind: "bytes", value: 1 },
  ];
  const components = Object.values(describe(figures, { json: true }).components);
  assert.deepEqual(
    components.map((component) => [component.state_topic, component.value_template]),
    [
      ["web1/state", '{{ value_json["cpu"]["load1"] }}'],
      ["web1/state", `{{ value_json["disks"]["a\\"]}}{{x\\\\'"]["free"] }}`],
    ],
  );
});

test("topics are of letters that Home Assistant takes, and two machines never share one", () => {
  const names = ["web1", "web/1", "web_1", "web.1", "wéb1", "site/web1", "site_web1"];
  const topics = names.map((name) => discoveryTopic("ha", name));
  for (const one of topics) assert.match(one, /^ha\/device\/[a-zA-Z0-9_-]+\/config$/);
  assert.equal(new Set(topics).size, names.length);
  assert.equal(topics[0], "ha/device/web1/config");
  assert.equal(birthTopic("ha"), "ha/status");
});

test("figures of like names are different ones", () => {
  const paths = ["disks/a_b/free", "disks/a/b_free", "disks/a-b/free", "disks/a.b/free"];
  const { components } = describe(paths.map((path) => ({ path, kind: "bytes", value: 1 })));
  assert.equal(Object.keys(components).length, paths.length);
  const ids = Object.values(components).map(({ unique_id }) => unique_id);
  assert.equal(new Set(ids).size, paths.length);
});

test("only what is new is told, and a machine whose parts change does not grow for ever", () => {
  const device = new HomeAssistantDevice(options);
  assert.equal(device.describe(), undefined);
  assert.equal(device.learn(oneOfEach), true);
  assert.equal(device.learn(oneOfEach), false);
  for (let index = 0; index < 700; index += 1) {
    device.learn([{ path: `containers/c${index}/running`, kind: "running", value: 1 }]);
  }
  const { components } = discovery.parse(JSON.parse(device.describe() ?? ""));
  assert.equal(Object.keys(components).length, 500);
  assert.ok("containers_c699_running" in components);
});
