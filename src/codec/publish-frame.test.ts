/** PUBLISH as offsets against PUBLISH as an object: both read and write the same packets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type ErrorCode, TstackError } from "../base/index.ts";
import { decodeUtf8 } from "./bytes.ts";
import { decodePacketBody } from "./decode.ts";
import { encodePacket } from "./encode.ts";
import { type Properties, ProtocolVersion, type PublishPacket } from "./packets.ts";
import {
  type MessageParts,
  type PublishHeader,
  type PublishVariant,
  publishBytes,
  scanPublish,
  writePublish,
} from "./publish-frame.ts";
import { newPublishPropertyOffsets } from "./publish-properties.ts";
import { checkTopicName } from "./topic-name.ts";
import { parseBytes, vectors, versionNames } from "./vectors/index.ts";

const noBytes = Buffer.alloc(0);

function newParts(): MessageParts {
  return {
    bytes: noBytes,
    topicStart: 0,
    topicEnd: 0,
    propertiesStart: 0,
    propertiesEnd: 0,
    expiryOffset: -1,
    payloadStart: 0,
    payloadEnd: 0,
  };
}

/** What the packet before left behind: everything that a scanner could forget to set. */
function dirtyHeader(): PublishHeader {
  const properties = {
    topicAlias: 77,
    topicAliasOffset: 77,
    messageExpiryInterval: 77,
    messageExpiryIntervalOffset: 77,
  };
  return { qos: 2, retain: true, dup: true, packetIdentifier: 77, properties };
}

function bodyStartOf(bytes: Buffer): number {
  let at = 1;
  while (bytes[at] >= 0x80) at++;
  return at + 1;
}

interface Read {
  readonly header: PublishHeader;
  readonly parts: MessageParts;
  readonly topic: string;
  readonly payload: string;
}

/** As the broker reads it: offsets first, then the topic's text. Amid other bytes, so that a step beyond would be seen. */
function scan(bytes: Buffer, version: ProtocolVersion): Read {
  const parts = newParts();
  const header = dirtyHeader();
  const isV5 = version === ProtocolVersion.v5;
  const around = Buffer.alloc(5, 0x01);
  const amid = Buffer.concat([around, bytes, around]);
  const start = around.length;
  const bodyStart = start + bodyStartOf(bytes);
  scanPublish({ bytes: amid, start, bodyStart, end: start + bytes.length }, isV5, parts, header);
  const topic = decodeUtf8(amid, parts.topicStart, parts.topicEnd);
  if (topic !== "" || header.properties.topicAlias === 0) checkTopic(topic, isV5);
  return {
    header,
    parts,
    topic,
    payload: amid.toString("hex", parts.payloadStart, parts.payloadEnd),
  };
}

function checkTopic(topic: string, isV5: boolean): void {
  if (topic === "" && isV5) throw new TstackError("MQTT_PROTOCOL_ERROR", "no topic, no alias");
  checkTopicName(topic);
}

function decode(bytes: Buffer, version: ProtocolVersion): PublishPacket {
  const packet = decodePacketBody(bytes[0], bytes, bodyStartOf(bytes), bytes.length, version);
  if (packet.type !== 3) throw new Error("no PUBLISH");
  if (packet.properties.subscriptionIdentifiers !== undefined) {
    throw new TstackError("MQTT_PROTOCOL_ERROR", "no client may send that");
  }
  return packet;
}

function outcome<Result>(run: () => Result): Result | ErrorCode {
  try {
    return run();
  } catch (error) {
    assert.ok(error instanceof TstackError, `threw ${error}`);
    return error.code;
  }
}

/** Both readers accept the packet and agree on it, or both refuse it; with the same code unless `codes` is false. */
function checkSame(bytes: Buffer, version: ProtocolVersion, codes = true): void {
  const scanned = outcome(() => scan(bytes, version));
  const decoded = outcome(() => decode(bytes, version));
  if (typeof scanned === "string" || typeof decoded === "string") {
    if (codes) assert.equal(scanned, decoded);
    else assert.equal(typeof scanned, typeof decoded, `${scanned} ${decoded}`);
    return;
  }
  const { header, parts, topic, payload } = scanned;
  const { properties } = decoded;
  assert.equal(topic, decoded.topic);
  assert.equal(payload, Buffer.from(decoded.payload).toString("hex"));
  assert.equal(header.qos, decoded.qos);
  assert.equal(header.retain, decoded.retain);
  assert.equal(header.dup, decoded.dup);
  assert.equal(header.packetIdentifier, decoded.packetIdentifier ?? 0);
  assert.equal(header.properties.topicAlias, properties.topicAlias ?? 0);
  assert.equal(header.properties.messageExpiryInterval, properties.messageExpiryInterval ?? -1);
  assert.equal(header.properties.topicAliasOffset >= 0, properties.topicAlias !== undefined);
  assert.equal(parts.expiryOffset, header.properties.messageExpiryIntervalOffset);
  if (properties.messageExpiryInterval === undefined) assert.equal(parts.expiryOffset, -1);
  else {
    const written = parts.bytes.readUInt32BE(parts.expiryOffset);
    assert.equal(written, properties.messageExpiryInterval);
  }
}

const text = fc.oneof(fc.string({ maxLength: 9 }), fc.constantFrom("é", "x".repeat(200)));
const payload = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const clientProperties = fc.record<Properties>(
  {
    payloadFormatIndicator: fc.constantFrom(0, 1),
    messageExpiryInterval: fc.nat(4_294_967_295),
    contentType: text,
    responseTopic: text.map((string) => string.replace(/[+#]/g, "") || "r"),
    correlationData: payload,
    topicAlias: fc.integer({ min: 1, max: 65_535 }),
    userProperties: fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: [], noNullPrototype: true },
);

function publishes(version: ProtocolVersion): fc.Arbitrary<PublishPacket> {
  const properties = version === ProtocolVersion.v5 ? clientProperties : fc.constant({});
  return fc
    .tuple(fc.constantFrom<(0 | 1 | 2)[]>(0, 1, 2), fc.boolean(), fc.boolean(), properties)
    .chain(([qos, retain, dup, found]) =>
      fc.tuple(text, payload, fc.integer({ min: 1, max: 65_535 })).map(([topic, body, id]) => ({
        type: 3,
        topic: topic.replace(/[+#]/g, "") || "t",
        payload: body,
        qos,
        retain,
        dup: dup && qos > 0,
        ...(qos > 0 ? { packetIdentifier: id } : {}),
        properties: found,
      })),
    );
}

const variants: fc.Arbitrary<PublishVariant> = fc
  .record({
    isV5: fc.boolean(),
    qos: fc.constantFrom<(0 | 1 | 2)[]>(0, 1, 2),
    retain: fc.boolean(),
    dup: fc.boolean(),
    identifiers: fc.array(
      fc.oneof(
        fc.constantFrom(1, 127, 128, 16_384, 2_097_152, 268_435_455),
        fc.integer({ min: 1, max: 300 }),
      ),
      { maxLength: 4 },
    ),
    topicAlias: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 65_535 })),
    omitTopic: fc.boolean(),
    expirySeconds: fc.oneof(fc.constant(-1), fc.nat(4_294_967_295)),
  })
  .map((variant) => {
    if (!variant.isV5) return { ...variant, identifiers: [], topicAlias: 0, omitTopic: false };
    return { ...variant, omitTopic: variant.omitTopic && variant.topicAlias > 0 };
  });

/** What a subscriber must read: the message of `from`, in the manner of `variant`. */
function expected(from: PublishPacket, variant: PublishVariant): PublishPacket {
  const properties: Properties = variant.isV5 ? { ...from.properties } : {};
  if (variant.identifiers.length > 0) properties.subscriptionIdentifiers = [...variant.identifiers];
  if (variant.topicAlias > 0) properties.topicAlias = variant.topicAlias;
  if (properties.messageExpiryInterval !== undefined && variant.expirySeconds >= 0) {
    properties.messageExpiryInterval = variant.expirySeconds;
  }
  return {
    type: 3,
    topic: variant.omitTopic ? "" : from.topic,
    payload: Buffer.from(from.payload),
    qos: variant.qos,
    retain: variant.retain,
    dup: variant.dup && variant.qos > 0,
    ...(variant.qos > 0 ? { packetIdentifier: 0xabcd } : {}),
    properties,
  };
}

for (const [subject, list] of Object.entries(vectors)) {
  for (const { name, versions, bytes: notation } of list) {
    const bytes = parseBytes(notation);
    if (bytes[0] >> 4 !== 3 || bytes.length !== bodyStartOf(bytes) + lengthOf(bytes)) continue;
    for (const version of versions) {
      test(`${subject}: both readers agree on ${name} (${versionNames[version]})`, () => {
        checkSame(bytes, version);
      });
    }
  }
}

/** Remaining Length as announced: vectors about one that lies are not for these readers. */
function lengthOf(bytes: Buffer): number {
  let length = 0;
  for (let at = 1; at < bodyStartOf(bytes); at++) length += (bytes[at] & 0x7f) * 128 ** (at - 1);
  return length;
}

for (const version of Object.values(ProtocolVersion)) {
  test(`version ${version}: both readers agree on what they accept`, () => {
    const property = fc.property(publishes(version), (packet) => {
      const bytes = encodePacket(packet, version);
      assert.notEqual(typeof outcome(() => scan(bytes, version)), "string");
      checkSame(bytes, version);
    });
    fc.assert(property, { numRuns: 2000 });
  });

  test(`version ${version}: both readers refuse the same broken packets`, () => {
    const faults = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 });
    const property = fc.property(
      publishes(version),
      faults,
      fc.nat(3),
      (packet, wrong, missing) => {
        const bytes = Buffer.from(encodePacket(packet, version));
        const bodyStart = bodyStartOf(bytes);
        const end = Math.max(bodyStart, bytes.length - missing);
        for (const [at, value] of wrong) {
          if (end > bodyStart) bytes[bodyStart + (at % (end - bodyStart))] = value;
        }
        // With several faults each may name another of them.
        checkSame(bytes.subarray(0, end), version, false);
      },
    );
    fc.assert(property, { numRuns: 5000 });
  });

  test(`version ${version}: what is written for a subscriber is what the codec reads`, () => {
    const property = fc.property(
      publishes(version),
      variants,
      fc.nat(3),
      (packet, variant, offset) => {
        const parts = newParts();
        const header = { ...dirtyHeader(), properties: newPublishPropertyOffsets() };
        // An alias is taken out before a message is written (message.ts).
        const { topicAlias: _alias, ...properties } = packet.properties;
        const message = { ...packet, properties };
        const bytes = encodePacket(message, version);
        const frame = { bytes, start: 0, bodyStart: bodyStartOf(bytes), end: bytes.length };
        scanPublish(frame, version === ProtocolVersion.v5, parts, header);
        const length = publishBytes(parts, variant);
        const target = Buffer.alloc(length + offset + 4, 0xee);
        const dup = variant.dup && variant.qos > 0;
        const identifierOffset = writePublish(parts, { ...variant, dup }, target, offset);
        if (variant.qos > 0) {
          assert.equal(target.readUInt16BE(identifierOffset), 0);
          target.writeUInt16BE(0xabcd, identifierOffset);
        } else assert.equal(identifierOffset, offset + length);
        assert.deepEqual(target.subarray(offset + length), Buffer.alloc(4, 0xee), "wrote too far");
        const written = target.subarray(offset, offset + length);
        const to = variant.isV5 ? ProtocolVersion.v5 : ProtocolVersion.v3_1_1;
        const read = decodePacketBody(written[0], written, bodyStartOf(written), length, to);
        assert.deepEqual(read, expected(message, variant));
        assert.equal(lengthOf(written) + bodyStartOf(written), length);
      },
    );
    fc.assert(property, { numRuns: 3000 });
  });
}

test("a packet without properties has nothing of the one before", () => {
  for (const [version, bytes] of [
    [ProtocolVersion.v5, Buffer.from("300400017400", "hex")],
    [ProtocolVersion.v3_1_1, Buffer.from("3003000174", "hex")],
  ] as const) {
    const { header, parts } = scan(bytes, version);
    assert.deepEqual(header, {
      qos: 0,
      retain: false,
      dup: false,
      packetIdentifier: 0,
      properties: newPublishPropertyOffsets(),
    });
    assert.equal(parts.expiryOffset, -1);
  }
});
