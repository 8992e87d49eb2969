/** A message: what is kept is a copy that says the same, and an alias leaves it without a trace. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  decodePacket,
  encodePacket,
  newPublishPropertyOffsets,
  PacketType,
  type Properties,
  type PublishHeader,
  type PublishPacket,
  publishBytes,
  scanPublish,
  writePublish,
} from "../codec/index.ts";
import { Message } from "./message.ts";
import { newVariant } from "./publish-encoder.ts";

const text = fc.string({ maxLength: 9 });
const property: Record<string, fc.Arbitrary<Properties>> = {
  format: fc
    .constantFrom(0 as const, 1 as const)
    .map((value) => ({ payloadFormatIndicator: value })),
  expiry: fc.nat(4_294_967_295).map((value) => ({ messageExpiryInterval: value })),
  type: text.map((value) => ({ contentType: value })),
  correlation: fc
    .uint8Array({ maxLength: 9 })
    .map((value) => ({ correlationData: Buffer.from(value) })),
  user: fc
    .array(fc.tuple(text, text), { minLength: 1, maxLength: 3 })
    .map((value) => ({ userProperties: value })),
};
/** In any order: the codec writes them in the order of its table, so each is written alone and put together. */
const shuffled = fc
  .shuffledSubarray(Object.keys(property))
  .chain((names) => fc.tuple(...names.map((name) => property[name])));

interface Sample {
  readonly properties: Properties[];
  readonly aliasAt: number;
  readonly topic: string;
  readonly payload: Buffer;
}

const samples: fc.Arbitrary<Sample> = fc.record({
  properties: shuffled,
  aliasAt: fc.nat(5),
  topic: text.map((name) => name.replace(/[+#]/g, "")),
  payload: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
});

function publishPacket(topic: string, payload: Buffer, properties: Properties): PublishPacket {
  const rest = { qos: 0, retain: false, dup: false } as const;
  return { type: PacketType.publish, topic, payload, ...rest, properties };
}

/** The bytes of one property alone. */
function encodeProperty(properties: Properties): Buffer {
  const bytes = encodePacket(publishPacket("t", Buffer.alloc(0), properties), 5);
  const start = bytes.length < 130 ? 5 : 6;
  return Buffer.from(bytes.subarray(start + (bytes[start] >= 0x80 ? 2 : 1)));
}

/** A frame with the properties in the order given, a topic alias among them. */
function frameOf({ properties, aliasAt, topic, payload }: Sample): Buffer {
  const parts = properties.map(encodeProperty);
  parts.splice(aliasAt % (parts.length + 1), 0, Buffer.from([0x23, 0x12, 0x34]));
  const block = Buffer.concat(parts);
  const length = (value: number): number[] =>
    value < 128 ? [value] : [(value & 0x7f) | 0x80, value >> 7];
  const name = Buffer.from(topic);
  const head = Buffer.from([0, name.length]);
  const body = Buffer.concat([head, name, Buffer.from(length(block.length)), block, payload]);
  return Buffer.concat([Buffer.from([0x30, ...length(body.length)]), body]);
}

function scan(bytes: Buffer): { message: Message; header: PublishHeader } {
  const message = new Message();
  const properties = newPublishPropertyOffsets();
  const header: PublishHeader = {
    qos: 0,
    retain: false,
    dup: false,
    packetIdentifier: 0,
    properties,
  };
  const bodyStart = bytes[1] < 0x80 ? 2 : 3;
  scanPublish({ bytes, start: 0, bodyStart, end: bytes.length }, true, message, header);
  return { message, header };
}

function write(message: Message, expirySeconds: number): PublishPacket {
  const variant = { ...newVariant(), isV5: true, expirySeconds };
  const target = Buffer.alloc(publishBytes(message, variant));
  writePublish(message, variant, target, 0);
  return decodePacket(target, 5) as PublishPacket;
}

test("an alias is replaced by its topic wherever it stands, before or behind the expiry interval", () => {
  const run = fc.property(samples, fc.nat(1000), (sample, seconds) => {
    const bytes = frameOf(sample);
    const before = Buffer.from(bytes);
    const { message, header } = scan(bytes);
    const topic = Buffer.from("the/real/topic");
    message.reset("the/real/topic", "publisher");
    message.replaceAlias(topic, header.properties.topicAliasOffset);
    assert.deepEqual(bytes, before, "the chunk of the socket was written to");
    bytes.fill(0xee);
    const merged: Properties = Object.assign({}, ...sample.properties);
    assert.deepEqual(write(message, -1), publishPacket("the/real/topic", sample.payload, merged));
    if (merged.messageExpiryInterval !== undefined) merged.messageExpiryInterval = seconds;
    const expected = publishPacket("the/real/topic", sample.payload, merged);
    assert.deepEqual(write(message, seconds), expected);
    assert.deepEqual(write(message.keep(), seconds), expected);
  });
  fc.assert(run, { numRuns: 1000 });
});

test("what is kept stays when the bytes it came in go, and is copied once", () => {
  const run = fc.property(samples, ({ properties, topic, payload }) => {
    const merged: Properties = Object.assign({}, ...properties);
    const packet = publishPacket(topic || "t", payload, merged);
    const bytes = encodePacket(packet, 5);
    const { message } = scan(bytes);
    message.reset(packet.topic, "publisher");
    message.qos = 1;
    message.retain = true;
    message.expiresAt = 5000;
    const kept = message.keep();
    assert.notEqual(kept, message, "what comes is not its own copy");
    assert.equal(message.keep(), kept, "one copy for all");
    assert.equal(kept.keep(), kept, "what is kept is its own copy");
    assert.equal(kept.size, message.size);
    bytes.fill(0xee);
    message.reset("other", "another");
    assert.notEqual(message.keep(), kept, "the next message is another");
    const { qos, retain, publisher, expiresAt, frameStart } = kept;
    assert.deepEqual(
      { topic: kept.topic, qos, retain, publisher, expiresAt, frameStart },
      {
        topic: packet.topic,
        qos: 1,
        retain: true,
        publisher: "publisher",
        expiresAt: 5000,
        frameStart: -1,
      },
    );
    assert.deepEqual(write(kept, -1), packet);
  });
  fc.assert(run, { numRuns: 500 });
});

test("one that was read in a page with others holds no more of it than it is, once it has left that", () => {
  const page = Buffer.alloc(100_000);
  page.write("topicpayload", 500);
  const common = {
    qos: 1,
    retain: false,
    publisher: "p",
    expiresAt: 5000,
    expiryOffset: -1,
  } as const;
  const bytes = page.subarray(500, 512);
  const message = Message.restore({ ...common, bytes, topicEnd: 5, propertiesEnd: 5 });
  const before = write(message, -1);
  message.leavePage();
  assert.ok(message.bytes.buffer.byteLength < page.length);
  assert.deepEqual(write(message, -1), before);
  const { bytes: own } = message;
  message.leavePage();
  assert.equal(message.bytes, own);
});

test("the size counts topic, properties and payload", () => {
  const properties = { contentType: "text" };
  const { message } = scan(
    encodePacket(publishPacket("topic", Buffer.from("payload"), properties), 5),
  );
  assert.equal(message.size, "topic".length + 3 + "text".length + "payload".length);
});

test("seconds left are rounded up while there are any, and none are left from the moment of expiry", () => {
  const message = new Message();
  assert.equal(message.secondsLeft(123), -1);
  assert.equal(message.hasExpired(Number.MAX_SAFE_INTEGER), false);
  message.expiresAt = 10_000;
  const times = [0, 1, 999, 1000, 9000, 9001, 9999, 10_000, 10_001];
  assert.deepEqual(
    times.map((now) => message.secondsLeft(now)),
    [10, 10, 10, 9, 1, 1, 1, 0, 0],
  );
  assert.deepEqual(
    times.map((now) => message.hasExpired(now)),
    [false, false, false, false, false, false, false, true, true],
  );
});
