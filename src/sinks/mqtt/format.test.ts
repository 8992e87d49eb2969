import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConsumedMessage } from "../../readings/index.ts";
import {
  explainMessage,
  type Forwarding,
  forward,
  fullAbilities,
  traceProperty,
} from "./format.ts";

const forwarding: Forwarding = {
  strip: "",
  add: "",
  qos: undefined,
  keepsRetain: false,
  bridge: "here",
};

function message(parts: Partial<ConsumedMessage> = {}): ConsumedMessage {
  const payload = Buffer.from("21.5");
  return { topic: "home/temp", payload, qos: 0, retain: true, arrivedAt: 1, ...parts };
}

function send(
  parts: Partial<ConsumedMessage> = {},
  how: Partial<Forwarding> = {},
  abilities = fullAbilities,
) {
  const verdict = forward(message(parts), { ...forwarding, ...how }, abilities);
  assert.equal(verdict.kind, "send");
  return verdict.kind === "send" ? verdict.outgoing : assert.fail();
}

test("topics are stripped where they begin so, and then added to", () => {
  assert.equal(send().topic, "home/temp");
  assert.equal(send({}, { strip: "home/", add: "remote/" }).topic, "remote/temp");
  assert.equal(send({ topic: "away/home/temp" }, { strip: "home/" }).topic, "away/home/temp");
});

test("a topic of which nothing is left, or too much, is refused", () => {
  for (const [topic, how, reason] of [
    ["home/", { strip: "home/" }, /--mqtt-strip leaves nothing/],
    ["x".repeat(65_535), { add: "y" }, /longer than 65535 bytes/],
  ] as const) {
    const verdict = forward(message({ topic }), { ...forwarding, ...how }, fullAbilities);
    assert.equal(verdict.kind, "refuse");
    assert.match(verdict.kind === "refuse" ? verdict.reason : "", reason);
  }
});

test("QoS is at least 1 unless it is said, and at most what the broker has", () => {
  assert.deepEqual(
    ([0, 1, 2] as const).map((qos) => send({ qos }).qos),
    [1, 1, 2],
  );
  assert.equal(send({ qos: 2 }, { qos: 0 }).qos, 0);
  assert.equal(send({ qos: 2 }, {}, { ...fullAbilities, maximumQos: 1 }).qos, 1);
});

test("retain is kept where that is asked for, and the broker has it", () => {
  assert.equal(send().retain, false);
  assert.equal(send({}, { keepsRetain: true }).retain, true);
  const abilities = { ...fullAbilities, retainAvailable: false };
  assert.equal(send({}, { keepsRetain: true }, abilities).retain, false);
});

test("properties are kept, and the bridge adds its name behind those of others", () => {
  const userProperties = [
    ["a", "1"],
    [traceProperty, "there"],
    ["a", "2"],
  ] as const;
  assert.deepEqual(send({ contentType: "text/plain", userProperties }).properties, {
    contentType: "text/plain",
    userProperties: { a: ["1", "2"], [traceProperty]: ["there", "here"] },
  });
  assert.equal(send({}, {}, { ...fullAbilities, version: 4 }).properties, undefined);
});

test("what passed this bridge is left out, and what passed too many is refused", () => {
  const passed = (...names: string[]) =>
    forward(
      message({ userProperties: names.map((name) => [traceProperty, name]) }),
      forwarding,
      fullAbilities,
    ).kind;
  assert.equal(passed("there", "here"), "loop");
  assert.equal(passed(...Array.from({ length: 15 }, (_, index) => `b${index}`)), "send");
  assert.equal(passed(...Array.from({ length: 16 }, (_, index) => `b${index}`)), "refuse");
});

test("explain shows the packet, harmlessly", () => {
  const parts = { topic: "a\u001b", retain: true, correlationData: Buffer.from([255]) };
  assert.equal(
    explainMessage({ message: message(parts), readings: [] }, { ...forwarding, keepsRetain: true }),
    "PUBLISH a\\u001b (QoS 1, retained): 21.5\n" +
      "  correlationData: base64 /w==\n" +
      "  user property tstack-via: here",
  );
});
