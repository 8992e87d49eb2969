/** The walk over PUBLISH properties against the reader of properties: they must agree on all bytes there are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TstackError } from "../base/index.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { PacketType, type Properties } from "./packets.ts";
import { readProperties } from "./properties.ts";
import {
  newPublishPropertyOffsets,
  type PublishPropertyOffsets,
  skipPublishProperties,
} from "./publish-properties.ts";
import { parseBytes, propertyVectors, unknownProperties } from "./vectors/index.ts";

test("no properties leave nothing of the packet before", () => {
  const found: PublishPropertyOffsets = {
    topicAlias: 9,
    topicAliasOffset: 9,
    messageExpiryInterval: 9,
    messageExpiryIntervalOffset: 9,
  };
  skipPublishProperties(Buffer.alloc(0), 0, 0, found);
  assert.deepEqual(found, newPublishPropertyOffsets());
});

test("the topic alias and the expiry are found where they lie", () => {
  const bytes = parseBytes(`ff ff 03 0001 "c" 23 1234 08 0003 "r/t" 02 fffffffe 26 0000 0000 ff`);
  const found = newPublishPropertyOffsets();
  skipPublishProperties(bytes, 2, bytes.length - 1, found);
  assert.equal(found.topicAlias, 0x1234);
  assert.equal(
    bytes.subarray(found.topicAliasOffset, found.topicAliasOffset + 3).toString("hex"),
    "231234",
  );
  assert.equal(found.messageExpiryInterval, 4_294_967_294);
  assert.equal(bytes.readUInt32BE(found.messageExpiryIntervalOffset), 4_294_967_294);
});

test("5.0 [MQTT-3.3.4-6] a client sends no subscription identifier", () => {
  assert.equal(skip(parseBytes("0b 01")), "MQTT_PROTOCOL_ERROR");
});

for (const { bytes, properties, refused = [] } of propertyVectors) {
  const name = Object.keys(properties)[0];
  test(`${name} once, twice, cut short and with its wrong values`, () => {
    const whole = parseBytes(bytes);
    checkAgreement(whole);
    checkAgreement(Buffer.concat([whole, whole]));
    for (let end = 1; end < whole.length; end++) checkAgreement(whole.subarray(0, end));
    for (const [wrong] of refused) checkAgreement(parseBytes(wrong));
  });
}

test("unknown properties", () => {
  for (const bytes of unknownProperties) checkAgreement(parseBytes(bytes));
});

test("properties in any order and number, some of them broken", () => {
  const rows = propertyVectors.flatMap(({ bytes, allowedIn, refused = [] }) => {
    const isOfPublish = allowedIn.split(" ").includes("publish");
    return isOfPublish ? [bytes, ...refused.map(([wrong]) => wrong)] : [];
  });
  const property = fc.property(
    fc.array(fc.constantFrom(...rows), { maxLength: 6 }),
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 }),
    (parts, faults) => {
      const bytes = Buffer.concat(parts.map(parseBytes));
      for (const [at, value] of faults) if (bytes.length > 0) bytes[at % bytes.length] = value;
      checkAgreement(bytes);
    },
  );
  fc.assert(property, { numRuns: 20_000 });
});

/** Both accept with the same values, or both refuse with the same code, the subscription identifier apart. */
function checkAgreement(bytes: Buffer): void {
  const read = readAll(bytes);
  const skipped = skip(bytes);
  if (typeof read !== "string" && read.subscriptionIdentifiers !== undefined) {
    assert.equal(skipped, "MQTT_PROTOCOL_ERROR");
  } else if (typeof read !== "string") {
    assert.notEqual(typeof skipped, "string");
    const { topicAlias = 0, messageExpiryInterval = -1 } = read;
    assert.partialDeepStrictEqual(skipped, { topicAlias, messageExpiryInterval });
  } else if (bytes.includes(0x0b)) assert.equal(typeof skipped, "string");
  else assert.equal(skipped, read);
}

function readAll(bytes: Buffer): Properties | string {
  const writer = new ByteWriter();
  writer.writeBinary(bytes);
  const packet = Buffer.from(writer.toBytes().subarray(1));
  packet[0] = bytes.length;
  assert.ok(bytes.length < 128, "the property length fits one byte");
  try {
    return readProperties(new ByteReader(packet), PacketType.publish);
  } catch (error) {
    assert.ok(error instanceof TstackError, `threw ${error}`);
    return error.code;
  }
}

/** Amid other bytes, so that a step beyond the end would be seen. */
function skip(bytes: Buffer): PublishPropertyOffsets | string {
  const around = Buffer.alloc(16, 0x61);
  const found = newPublishPropertyOffsets();
  try {
    const end = around.length + bytes.length;
    skipPublishProperties(Buffer.concat([around, bytes, around]), around.length, end, found);
    return found;
  } catch (error) {
    assert.ok(error instanceof TstackError, `threw ${error}`);
    return error.code;
  }
}
