/** Every property in every place: where it may stand, how often, and with which values. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TstackError } from "../base/index.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { decodePacket } from "./decode.ts";
import { encodePacket } from "./encode.ts";
import { PacketType, type Properties, ProtocolVersion } from "./packets.ts";
import { readProperties, writeProperties } from "./properties.ts";
import {
  type Place,
  type PropertyVector,
  parseBytes,
  places,
  propertyVectors,
  unknownProperties,
} from "./vectors/index.ts";

const authenticationMethod = `15 0001 "m"`;

for (const vector of propertyVectors) {
  const name = Object.keys(vector.properties)[0];
  for (const place of Object.keys(places) as Place[]) {
    if (isIn(vector.allowedIn, place)) {
      test(`${name} in ${place}`, () => checkAccepted(vector, place));
      test(`${name} twice in ${place}`, () => checkTwice(vector, place));
      for (const [bytes, code] of vector.refused ?? []) {
        test(`${name} as ${bytes} in ${place}`, () => checkRefused(place, bytes, code));
      }
    } else {
      test(`${name} does not belong in ${place}`, () => {
        checkRefused(place, vector.bytes, "MQTT_MALFORMED_PACKET");
      });
    }
  }
}

for (const { bytes, properties, allowedIn } of propertyVectors) {
  test(`${Object.keys(properties)[0]} cut short is malformed, whatever follows`, () => {
    const whole = parseBytes(bytes);
    const place = allowedIn.split(" ")[0] as Place;
    const owner = place === "will" ? place : PacketType[place];
    for (let length = 1; length < whole.length; length++) {
      for (const after of [[], [1, 1, 1, 1, 1, 1, 1, 1]]) {
        const section = Buffer.from([length, ...whole.subarray(0, length), ...after]);
        assert.throws(
          () => readProperties(new ByteReader(section), owner),
          (error) => error instanceof TstackError && error.code === "MQTT_MALFORMED_PACKET",
        );
      }
    }
  });
}

for (const bytes of unknownProperties) {
  test(`the unknown property ${bytes} is refused everywhere`, () => {
    for (const place of Object.keys(places) as Place[]) {
      checkRefused(place, bytes, "MQTT_MALFORMED_PACKET");
    }
  });
}

test("the vectors name each property once, and together all that there are", () => {
  const identifiers = propertyVectors.map((vector) => parseBytes(vector.bytes)[0]);
  assert.equal(new Set(identifiers).size, 27);
  assert.equal(identifiers.length, 27);
});

test("5.0 [MQTT-2.2.2-1] no properties are a property length of zero", () => {
  const writer = new ByteWriter();
  writeProperties(writer, {});
  writeProperties(writer, { contentType: undefined, userProperties: [] });
  assert.equal(writer.toBytes().toString("hex"), "0000");
});

test("a property length of two bytes", () => {
  const writer = new ByteWriter();
  writeProperties(writer, { contentType: "x".repeat(300) });
  assert.equal(writer.toBytes().subarray(0, 5).toString("hex"), "af0203012c");
  const read = readProperties(new ByteReader(writer.toBytes()), 3);
  assert.deepEqual(read, { contentType: "x".repeat(300) });
});

test("byte values outlive the bytes of the packet", () => {
  const bytes = parseBytes("04 09 0001 07");
  const { correlationData } = readProperties(new ByteReader(bytes), 3);
  bytes[4] = 8;
  assert.deepEqual(correlationData, Buffer.from([7]));
});

function checkAccepted(vector: PropertyVector, place: Place): void {
  const bytes = packetWith(place, vector.bytes);
  const packet = decodePacket(bytes, ProtocolVersion.v5);
  assert.ok("properties" in packet);
  const found = place === "will" && "will" in packet ? packet.will?.properties : packet.properties;
  const { authenticationMethod: _method, ...others } = found as Properties;
  assert.deepEqual("authenticationMethod" in vector.properties ? found : others, vector.properties);
  const written = encodePacket(packet, ProtocolVersion.v5);
  assert.equal(written.toString("hex"), bytes.toString("hex"));
}

function checkTwice(vector: PropertyVector, place: Place): void {
  const twice = `${vector.bytes} ${vector.bytes}`;
  if (!isIn(vector.repeatsIn ?? "", place)) {
    checkRefused(place, twice, "MQTT_PROTOCOL_ERROR");
    return;
  }
  const bytes = packetWith(place, twice);
  const written = encodePacket(decodePacket(bytes, ProtocolVersion.v5), ProtocolVersion.v5);
  assert.equal(written.toString("hex"), bytes.toString("hex"));
}

function checkRefused(place: Place, bytes: string, code: string): void {
  const packet = packetWith(place, bytes);
  assert.throws(
    () => decodePacket(packet, ProtocolVersion.v5),
    (error) => error instanceof TstackError && error.code === code,
  );
}

/** AUTH, and authentication data wherever it stands, need the method beside them. */
function packetWith(place: Place, propertyBytes: string): Buffer {
  const { first, before, after } = places[place];
  const needsMethod = place === "auth" || propertyBytes.startsWith("16");
  const method = needsMethod && !propertyBytes.startsWith("15") ? authenticationMethod : "";
  const properties = parseBytes(`${method} ${propertyBytes}`);
  const body = Buffer.concat([
    parseBytes(before),
    Buffer.from([properties.length]),
    properties,
    parseBytes(after),
  ]);
  return Buffer.concat([parseBytes(first), Buffer.from([body.length]), body]);
}

function isIn(list: string, place: Place): boolean {
  return list.split(" ").includes(place);
}
