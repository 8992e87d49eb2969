/**
 * The codec with whatever fast-check thinks of: every packet of the standard with every property it may have, in one
 * piece and in any pieces, broken ones, and plain noise.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ConnectReturnCode, type ErrorCode, type ReasonCode, TstackError } from "../base/index.ts";
import { decodePacket, decodePacketBody } from "./decode.ts";
import { encodePacket, encodeWithin } from "./encode.ts";
import { FrameReader, type FrameSink } from "./frame-reader.ts";
import {
  type AcknowledgementPacket,
  type Packet,
  PacketType,
  type Properties,
  ProtocolVersion,
  type PublishPacket,
  type QoS,
  type WillMessage,
} from "./packets.ts";
import { type Place, propertyVectors } from "./vectors/index.ts";

/** Any text that a UTF-8 Encoded String may hold, short ASCII most of the time. */
const text = fc.oneof(
  { weight: 3, arbitrary: fc.string({ maxLength: 12 }) },
  fc.string({ unit: "binary", maxLength: 12 }).map((string) => string.replaceAll("\0", "")),
  fc.constantFrom("", "\uFEFF", "\uFFFF", "x".repeat(300), "é".repeat(32_767)),
);
const topicName = text.map((string) => string.replace(/[+#]/g, "") || "t");
/** Mostly few; sometimes around the numbers where a length takes another byte, or as many as binary data may have. */
const bytes = fc.oneof(
  { weight: 9, arbitrary: fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)) },
  fc.constantFrom(100, 127, 128, 16_383, 65_535).map((length) => Buffer.alloc(length, length)),
);
const uint16 = fc.integer({ min: 0, max: 65_535 });
const uint32 = fc.oneof(fc.integer({ min: 0, max: 4_294_967_295 }), fc.constant(4_294_967_295));
const identifier = fc.integer({ min: 1, max: 65_535 });
const qos = fc.constantFrom<QoS[]>(0, 1, 2);

const propertyValues: Record<keyof Properties, fc.Arbitrary<unknown>> = {
  payloadFormatIndicator: fc.constantFrom(0, 1),
  messageExpiryInterval: uint32,
  contentType: text,
  responseTopic: topicName,
  correlationData: bytes,
  subscriptionIdentifiers: fc.array(fc.integer({ min: 1, max: 268_435_455 }), {
    minLength: 1,
    maxLength: 4,
  }),
  sessionExpiryInterval: uint32,
  assignedClientIdentifier: text,
  serverKeepAlive: uint16,
  authenticationMethod: text,
  authenticationData: bytes,
  requestProblemInformation: fc.boolean(),
  willDelayInterval: uint32,
  requestResponseInformation: fc.boolean(),
  responseInformation: text,
  serverReference: text,
  reasonString: text,
  receiveMaximum: identifier,
  topicAliasMaximum: uint16,
  topicAlias: identifier,
  maximumQos: fc.constantFrom(0, 1),
  retainAvailable: fc.boolean(),
  userProperties: fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 4 }),
  maximumPacketSize: uint32.map((value) => value || 1),
  wildcardSubscriptionAvailable: fc.boolean(),
  subscriptionIdentifiersAvailable: fc.boolean(),
  sharedSubscriptionAvailable: fc.boolean(),
};

/** The properties that a place may have, each of them there or not. */
function propertiesOf(place: Place, version: ProtocolVersion): fc.Arbitrary<Properties> {
  if (version !== ProtocolVersion.v5) return fc.constant({});
  const names = propertyVectors
    .filter(({ allowedIn }) => allowedIn.split(" ").includes(place))
    .map(({ properties }) => Object.keys(properties)[0] as keyof Properties);
  const model = Object.fromEntries(names.map((name) => [name, propertyValues[name]]));
  const requiredKeys = place === "auth" ? ["authenticationMethod"] : [];
  return fc.record(model, { requiredKeys, noNullPrototype: true }).map((values) => {
    const properties = values as Properties;
    if (properties.authenticationMethod === undefined) delete properties.authenticationData;
    if (place === "subscribe") properties.subscriptionIdentifiers?.splice(1);
    return properties;
  });
}

function connects(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const will: fc.Arbitrary<WillMessage> = fc.record(
    {
      topic: topicName,
      payload: bytes,
      qos,
      retain: fc.boolean(),
      properties: propertiesOf("will", version),
    },
    { noNullPrototype: true },
  );
  const required = {
    type: fc.constant(PacketType.connect),
    protocolVersion: fc.constant(version),
    cleanStart: fc.boolean(),
    keepAliveSeconds: uint16,
    clientIdentifier: text,
    properties: propertiesOf("connect", version),
  };
  return fc
    .record(
      { ...required, will, userName: text, password: bytes },
      { requiredKeys: Object.keys(required) as (keyof typeof required)[], noNullPrototype: true },
    )
    .map((packet) => {
      if (version !== ProtocolVersion.v5 && packet.userName === undefined) delete packet.password;
      return packet;
    });
}

function connacks(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const codes =
    version === ProtocolVersion.v5 ? [0, 0x80, 0x84, 0x87, 0x9f] : Object.values(ConnectReturnCode);
  return fc
    .tuple(fc.boolean(), fc.constantFrom<number[]>(...codes), propertiesOf("connack", version))
    .map(([present, reasonCode, properties]) => ({
      type: PacketType.connack,
      sessionPresent: present && reasonCode === 0 && version !== ProtocolVersion.v3_1,
      reasonCode,
      properties,
    }));
}

function publishes(version: ProtocolVersion): fc.Arbitrary<Packet> {
  return fc
    .record(
      {
        type: fc.constant(PacketType.publish),
        topic: fc.oneof(topicName, fc.constant("")),
        payload: bytes,
        qos,
        retain: fc.boolean(),
        dup: fc.boolean(),
        properties: propertiesOf("publish", version),
      },
      { noNullPrototype: true },
    )
    .chain((packet) => identifier.map((value) => completePublish(packet, value)));
}

function completePublish(packet: PublishPacket, packetIdentifier: number): PublishPacket {
  if (packet.topic === "" && packet.properties.topicAlias === undefined) packet.topic = "t";
  if (packet.qos === 0) packet.dup = false;
  else packet.packetIdentifier = packetIdentifier;
  return packet;
}

function acknowledgements(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const kinds = [
    { place: "puback", codes: [0x00, 0x10, 0x87] },
    { place: "pubrec", codes: [0x00, 0x10, 0x97] },
    { place: "pubrel", codes: [0x00, 0x92] },
    { place: "pubcomp", codes: [0x00, 0x92] },
  ] as const;
  const arbitraries = kinds.map(({ place, codes }) =>
    fc
      .tuple(identifier, fc.constantFrom<ReasonCode[]>(...codes), propertiesOf(place, version))
      .map(([packetIdentifier, code, properties]): Packet => {
        const reasonCode = version === ProtocolVersion.v5 ? code : 0;
        const type = PacketType[place];
        return { type, packetIdentifier, reasonCode, properties } as AcknowledgementPacket;
      }),
  );
  return fc.oneof(...arbitraries);
}

function subscriptions(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const isV5 = version === ProtocolVersion.v5;
  const option = isV5 ? fc.boolean() : fc.constant(false);
  const subscription = fc
    .record(
      {
        filter: fc.oneof(text, fc.constantFrom("#", "a/+/b", "$share/g/#")),
        qos,
        noLocal: option,
        retainAsPublished: option,
        retainHandling: isV5 ? fc.constantFrom<QoS[]>(0, 1, 2) : fc.constant<QoS>(0),
      },
      { noNullPrototype: true },
    )
    .map((row) => ({ ...row, noLocal: row.noLocal && !row.filter.startsWith("$share/") }));
  const rows = fc.array(subscription, { minLength: 1, maxLength: 5 });
  const filters = fc.array(text, { minLength: 1, maxLength: 5 });
  return fc.oneof(
    fc
      .tuple(identifier, rows, propertiesOf("subscribe", version))
      .map(([packetIdentifier, list, properties]): Packet => {
        const type = PacketType.subscribe;
        return { type, packetIdentifier, subscriptions: list, properties };
      }),
    fc
      .tuple(identifier, filters, propertiesOf("unsubscribe", version))
      .map(([packetIdentifier, list, properties]): Packet => {
        return { type: PacketType.unsubscribe, packetIdentifier, filters: list, properties };
      }),
  );
}

function subscriptionAnswers(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const isV5 = version === ProtocolVersion.v5;
  const ofSuback = fc.constantFrom(0, 1, 2, 0x80, ...(isV5 ? [0x87, 0xa2] : []));
  const ofUnsuback = fc.constantFrom(0, 0x11, 0x80);
  const atLeastOne = { minLength: 1, maxLength: 5 };
  return fc.oneof(
    fc
      .tuple(identifier, fc.array(ofSuback, atLeastOne), propertiesOf("suback", version))
      .map(([packetIdentifier, reasonCodes, properties]): Packet => {
        return { type: PacketType.suback, packetIdentifier, reasonCodes, properties };
      }),
    fc
      .tuple(identifier, fc.array(ofUnsuback, atLeastOne), propertiesOf("unsuback", version))
      .map(([packetIdentifier, codes, properties]): Packet => {
        const reasonCodes = isV5 ? codes : [];
        return { type: PacketType.unsuback, packetIdentifier, reasonCodes, properties };
      }),
  );
}

function sessionEnds(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const pings = fc.constantFrom(PacketType.pingreq, PacketType.pingresp).map((type) => ({ type }));
  if (version !== ProtocolVersion.v5) {
    const type = PacketType.disconnect;
    return fc.oneof(pings, fc.constant<Packet>({ type, reasonCode: 0, properties: {} }));
  }
  return fc.oneof(
    pings,
    fc
      .tuple(fc.constantFrom<ReasonCode[]>(0, 4, 0x8e), propertiesOf("disconnect", version))
      .map(([reasonCode, properties]): Packet => {
        return { type: PacketType.disconnect, reasonCode, properties };
      }),
    fc
      .tuple(fc.constantFrom<ReasonCode[]>(0, 0x18, 0x19), propertiesOf("auth", version))
      .map(([reasonCode, properties]): Packet => {
        return { type: PacketType.auth, reasonCode, properties };
      }),
  );
}

/** Every kind of packet that `version` has, as often as the others. */
function packets(version: ProtocolVersion): fc.Arbitrary<Packet> {
  return fc.oneof(
    connects(version),
    connacks(version),
    publishes(version),
    acknowledgements(version),
    subscriptions(version),
    subscriptionAnswers(version),
    sessionEnds(version),
  );
}

for (const version of Object.values(ProtocolVersion)) {
  const title = { 3: "3.1", 4: "3.1.1", 5: "5.0" }[version];

  test(`${title}: a packet, written and read, is the same packet`, () => {
    const property = fc.property(packets(version), (packet) => {
      assert.deepEqual(decodePacket(encodePacket(packet, version), version), packet);
    });
    fc.assert(property, { numRuns: 3000 });
  });

  test(`${title}: packets come out the same however their bytes are cut`, () => {
    const cuts = fc.array(fc.nat(), { maxLength: 20, size: "max" });
    const several = fc.array(packets(version), { minLength: 1, maxLength: 5 });
    const property = fc.property(several, cuts, (list, places) => {
      const stream = Buffer.concat(list.map((packet) => encodePacket(packet, version)));
      assert.deepEqual(readInPieces(stream, places, version), list);
    });
    fc.assert(property, { numRuns: 500 });
  });

  test(`${title}: the packets above are all there are, with all properties that they may have`, () => {
    const seen = new Set<string>();
    for (const packet of fc.sample(packets(version), 3000)) {
      for (const place of placesOf(packet)) seen.add(place);
    }
    assert.deepEqual([...seen].sort(), expectedPlaces(version));
  });

  test(`${title}: a broken packet ends in a TstackError, or is one that can be written again`, () => {
    // Any other byte, or often one a little less: a length that ends inside of what it is of.
    const change = fc.oneof(fc.nat(255), fc.integer({ min: -4, max: -1 }));
    const faults = fc.array(fc.tuple(fc.nat(), change), { maxLength: 4 });
    const property = fc.property(packets(version), faults, fc.nat(), (packet, wrong, cut) => {
      const bytes = Buffer.from(encodePacket(packet, version));
      for (const [at, added] of wrong) bytes[at % bytes.length] += added;
      const end = bytes.length - (cut % 4 === 0 ? cut % bytes.length : 0);
      checkAnyBytes(bytes.subarray(0, end), version);
    });
    fc.assert(property, { numRuns: 3000 });
  });

  test(`${title}: noise ends in a TstackError`, () => {
    const property = fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (noise) => {
      const bytes = Buffer.from(noise);
      checkAnyBytes(bytes, version);
      const outcome = outcomeOf(() => decodePacket(bytes, version));
      assert.ok(typeof outcome === "string" || bytes[1] === bytes.length - 2);
    });
    fc.assert(property, { numRuns: 10_000 });
  });
}

test("what encodeWithin writes is never beyond the limit, and lacks no more than it may", () => {
  const property = fc.property(packets(5), fc.integer({ min: 0, max: 100 }), (packet, limit) => {
    const bytes = encodeWithin(packet, ProtocolVersion.v5, limit);
    if (bytes === null) {
      assert.ok(encodePacket(withoutExplanation(packet), ProtocolVersion.v5).length > limit);
      return;
    }
    assert.ok(bytes.length <= limit);
    const read = decodePacket(bytes, ProtocolVersion.v5);
    assert.deepEqual(withoutExplanation(read), withoutExplanation(packet));
    if (encodePacket(packet, ProtocolVersion.v5).length <= limit) assert.deepEqual(read, packet);
  });
  fc.assert(property, { numRuns: 3000 });
});

/** Of the packets that must keep them, none may be shortened: those come back as they are. */
function withoutExplanation(packet: Packet): Packet {
  const keeps: readonly number[] = [1, 3, 8, 10];
  if (!("properties" in packet) || keeps.includes(packet.type)) return packet;
  const { reasonString: _reason, userProperties: _user, ...properties } = packet.properties;
  return { ...packet, properties } as Packet;
}

/** The packets of a stream that comes in pieces, each of them only lent. */
function readInPieces(stream: Buffer, places: number[], version: ProtocolVersion): Packet[] {
  const list: Packet[] = [];
  const reader = new FrameReader(stream.length);
  const sink: FrameSink = {
    frame: (chunk, start, bodyStart, end) => {
      const own = Buffer.from(chunk); // what is read of it refers to it
      list.push(decodePacketBody(own[start], own, bodyStart, end, version));
      return true;
    },
  };
  const ends = [...places.map((at) => at % stream.length), stream.length].sort((a, b) => a - b);
  for (const [index, end] of ends.entries()) {
    const piece = Buffer.from(stream.subarray(ends[index - 1] ?? 0, end));
    reader.read(piece, sink);
    piece.fill(0xee);
  }
  assert.equal(reader.incomplete, false);
  return list;
}

/** Its type, and each of its properties with where it stands. */
function placesOf(packet: Packet): string[] {
  const owner = Object.keys(PacketType)[packet.type - 1];
  const own = "properties" in packet ? packet.properties : {};
  const will = packet.type === PacketType.connect ? packet.will?.properties : undefined;
  const places = Object.keys(own).map((name) => `${owner} ${name}`);
  return [owner, ...places, ...Object.keys(will ?? {}).map((name) => `will ${name}`)];
}

function expectedPlaces(version: ProtocolVersion): string[] {
  const types = Object.keys(PacketType).filter((name) => version === 5 || name !== "auth");
  if (version !== ProtocolVersion.v5) return types.sort();
  const properties = propertyVectors.flatMap(({ allowedIn, properties: example }) =>
    allowedIn.split(" ").map((place) => `${place} ${Object.keys(example)[0]}`),
  );
  return [...types, ...properties].sort();
}

/** Bytes that are the last of their buffer, and the same bytes amid others: nothing but them decides the outcome. */
function checkAnyBytes(bytes: Buffer, version: ProtocolVersion): void {
  const start = Math.min(2, bytes.length);
  const around = Buffer.alloc(8, 0x01);
  const amid = Buffer.concat([around, bytes, around]);
  const read = (from: Buffer, at: number): Packet | ErrorCode =>
    outcomeOf(() => decodePacketBody(bytes[0], from, at + start, at + bytes.length, version));
  const outcome = read(bytes, 0);
  assert.deepEqual(read(amid, around.length), outcome);
  if (typeof outcome === "string") return;
  const own = outcome.type === 1 ? outcome.protocolVersion : version;
  assert.deepEqual(decodePacket(encodePacket(outcome, own), own), outcome);
}

/** The packet, or the code of an error that a peer can be told of. */
function outcomeOf(decode: () => Packet): Packet | ErrorCode {
  try {
    return decode();
  } catch (error) {
    assert.ok(error instanceof TstackError, `threw ${error}`);
    assert.ok(error.code.startsWith("MQTT_") && error.reasonCode >= 0x80, error.code);
    return error.code;
  }
}
