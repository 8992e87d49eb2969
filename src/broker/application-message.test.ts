/** Between the program's messages and the broker's: there and back it is the same message. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Properties, QoS } from "../codec/index.ts";
import { fromApplicationMessage, toApplicationMessage } from "./application-message.ts";
import type { ApplicationMessage } from "./ports.ts";

const text = fc.oneof(fc.string({ maxLength: 9 }), fc.constant("é".repeat(100)));
const bytes = fc.uint8Array({ maxLength: 300 });
const properties = fc.record<Properties>(
  {
    payloadFormatIndicator: fc.constantFrom(0, 1),
    messageExpiryInterval: fc.nat(4_294_967_295),
    contentType: text,
    responseTopic: fc.constantFrom("r", "r/s"),
    correlationData: bytes.map((array) => Buffer.from(array)),
    userProperties: fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 4 }),
  },
  { requiredKeys: [], noNullPrototype: true },
);
const messages: fc.Arbitrary<ApplicationMessage> = fc.record(
  {
    topic: fc.constantFrom("t", "a/b", "é/ü"),
    payload: bytes,
    qos: fc.constantFrom<QoS[]>(0, 1, 2),
    retain: fc.boolean(),
    properties,
  },
  { noNullPrototype: true },
);

test("a message goes into the broker and comes out as it was", () => {
  const property = fc.property(messages, fc.nat(1_000_000), (message, now) => {
    const carried = fromApplicationMessage(message, "publisher", now);
    const seconds = message.properties.messageExpiryInterval;
    assert.equal(carried.publisher, "publisher");
    assert.equal(carried.expiresAt, seconds === undefined ? Infinity : now + seconds * 1000);
    if (seconds === undefined) assert.equal(carried.expiryOffset, -1);
    else assert.equal(carried.bytes.readUInt32BE(carried.expiryOffset), seconds);
    assert.deepEqual(toApplicationMessage(carried), {
      ...message,
      payload: Buffer.from(message.payload),
    });
  });
  fc.assert(property, { numRuns: 1000 });
});

test("neither side sees what the other does to its bytes later", () => {
  const payload = new Uint8Array([1, 2, 3]);
  const correlationData = new Uint8Array([4, 5]);
  const carried = fromApplicationMessage(
    { topic: "t", payload, qos: 0, retain: false, properties: { correlationData } },
    "",
    0,
  );
  payload.fill(9);
  correlationData.fill(9);
  const first = toApplicationMessage(carried);
  assert.deepEqual([...first.payload], [1, 2, 3]);
  assert.deepEqual([...(first.properties.correlationData ?? [])], [4, 5]);
  first.payload.fill(9);
  first.properties.correlationData?.fill(9);
  const second = toApplicationMessage(carried);
  assert.deepEqual([...second.payload], [1, 2, 3]);
  assert.deepEqual([...(second.properties.correlationData ?? [])], [4, 5]);
});

test("what belongs to one connection does not go along", () => {
  const message: ApplicationMessage = {
    topic: "t",
    payload: new Uint8Array(),
    qos: 0,
    retain: false,
    properties: { topicAlias: 3, subscriptionIdentifiers: [1, 2], contentType: "text" },
  };
  const { properties: kept } = toApplicationMessage(fromApplicationMessage(message, "", 0));
  assert.deepEqual(kept, { contentType: "text" });
});
