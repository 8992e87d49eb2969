/**
 * Ways in which one packet is spoiled. Most keep the Remaining Length true, so that what they break is seen, and not
 * only that the length is wrong.
 */
import type { Chance } from "./chance.ts";
import { propertyBytes } from "./corpus.ts";
import {
  identifierOffset,
  joinFrame,
  propertiesOffset,
  splitFrame,
  variableByteInteger,
} from "./frames.ts";

type Mutation = (packet: Buffer, chance: Chance) => Buffer;

const extremes = [
  [0x00],
  [0x7f],
  [0x80],
  [0xff],
  [0x00, 0x00],
  [0xff, 0xff],
  [0x7f, 0xff, 0xff, 0xff],
  [0xff, 0xff, 0xff, 0xff],
  [0x80, 0x80, 0x80, 0x01],
  [0xff, 0xff, 0xff, 0x7f],
] as const;
const oddTexts = [
  "",
  "\0",
  "+",
  "#",
  "/",
  "a/#",
  "$share/g/a",
  "$SYS/x",
  "bystander",
  "by4",
  "\ufeff",
  "a".repeat(130),
  "x/".repeat(200),
  "é".repeat(500),
];
const longTextBytes = [3000, 20_000, 65_535] as const;
const identifiers = [0, 1, 2, 3, 4, 5, 255, 256, 32_768, 65_535] as const;

function place(packet: Buffer, chance: Chance): number {
  return chance.below(Math.max(1, packet.length));
}

/** Replaces part of the body; in one of five cases without telling the Remaining Length. */
function splice(
  packet: Buffer,
  chance: Chance,
  by: { at: number; gone: number; bytes: Buffer },
): Buffer {
  const { first, body } = splitFrame(packet);
  const changed = Buffer.concat([
    body.subarray(0, by.at),
    by.bytes,
    body.subarray(by.at + by.gone),
  ]);
  if (chance.happens(0.8)) return joinFrame(first, changed);
  return Buffer.concat([packet.subarray(0, packet.length - body.length), changed]);
}

const flipBit: Mutation = (packet, chance) => {
  const changed = Buffer.from(packet);
  changed[place(packet, chance)] ^= 1 << chance.below(8);
  return changed;
};

const setByte: Mutation = (packet, chance) => {
  const changed = Buffer.from(packet);
  changed[place(packet, chance)] = chance.below(256);
  return changed;
};

const insertBytes: Mutation = (packet, chance) => {
  const bytes = chance.bytes(chance.between(1, 8));
  return splice(packet, chance, { at: place(packet, chance), gone: 0, bytes });
};

const deleteBytes: Mutation = (packet, chance) =>
  splice(packet, chance, {
    at: place(packet, chance),
    gone: chance.between(1, 4),
    bytes: Buffer.alloc(0),
  });

const truncate: Mutation = (packet, chance) => {
  const { first, body } = splitFrame(packet);
  if (chance.happens(0.2)) return packet.subarray(0, place(packet, chance));
  return joinFrame(first, body.subarray(0, place(body, chance)));
};

const extend: Mutation = (packet, chance) => {
  const { first, body } = splitFrame(packet);
  return joinFrame(first, Buffer.concat([body, chance.bytes(chance.between(1, 20))]));
};

const changeLength: Mutation = (packet, chance) => {
  const { first, body } = splitFrame(packet);
  const length = chance.pick([0, 1, 2, body.length + 1, body.length * 2, 127, 16_384, 268_435_455]);
  return Buffer.concat([Buffer.from([first]), variableByteInteger(length), body]);
};

const padLength: Mutation = (packet, chance) => {
  const { first, body } = splitFrame(packet);
  const length = variableByteInteger(body.length, chance.between(1, 3));
  return Buffer.concat([Buffer.from([first]), length, body]);
};

const changeIdentifier: Mutation = (packet, chance) => {
  const parts = splitFrame(packet);
  const offset = identifierOffset(parts);
  if (offset < 0) return flipBit(packet, chance);
  const body = Buffer.from(parts.body);
  body.writeUInt16BE(chance.pick(identifiers), offset);
  return joinFrame(parts.first, body);
};

/** QoS, DUP, RETAIN, and flags that are reserved. */
const changeFlags: Mutation = (packet, chance) => {
  const changed = Buffer.from(packet);
  changed[0] = (changed[0] & 0xf0) | chance.below(16);
  return changed;
};

const changeType: Mutation = (packet, chance) => {
  const changed = Buffer.from(packet);
  changed[0] = (changed[0] & 0x0f) | (chance.below(16) << 4);
  return changed;
};

const putExtreme: Mutation = (packet, chance) => {
  const bytes = Buffer.from(chance.pick(extremes));
  return splice(packet, chance, { at: place(packet, chance), gone: bytes.length, bytes });
};

/** Some place of the body that can be read as a string gets another one. */
const changeText: Mutation = (packet, chance) => {
  const { body } = splitFrame(packet);
  const places: number[] = [];
  for (let at = 0; at + 2 <= Math.min(body.length, 200); at++) {
    const length = body.readUInt16BE(at);
    if (length > 0 && at + 2 + length <= body.length) places.push(at);
  }
  if (places.length === 0) return insertBytes(packet, chance);
  const at = chance.pick(places);
  const isLong = chance.happens(0.03);
  const text = isLong
    ? Buffer.alloc(chance.pick(longTextBytes), 0x61)
    : Buffer.from(chance.pick(oddTexts));
  const length = Buffer.from([text.length >> 8, text.length & 0xff]);
  const bytes = Buffer.concat([length, text]);
  return splice(packet, chance, { at, gone: 2 + body.readUInt16BE(at), bytes });
};

/** A property more, one twice, one from elsewhere, none at all. */
const changeProperties: Mutation = (packet, chance) => {
  const parts = splitFrame(packet);
  const { first, body } = parts;
  const offset = propertiesOffset(parts);
  if (offset < 0) return extend(packet, chance);
  const before = body.subarray(0, offset);
  const length = Math.min(body[offset] & 0x7f, body.length - offset - 1);
  const own = body.subarray(offset + 1, offset + 1 + length);
  const after = body.subarray(offset + 1 + length);
  const added = Array.from({ length: chance.between(1, 3) }, () => chance.pick(propertyBytes));
  const properties = Buffer.concat(
    chance.pick([[own, ...added], [...added, own], [own, own], added, []]),
  );
  return joinFrame(
    first,
    Buffer.concat([before, variableByteInteger(properties.length), properties, after]),
  );
};

const mutations: readonly Mutation[] = [
  flipBit,
  flipBit,
  setByte,
  insertBytes,
  deleteBytes,
  truncate,
  extend,
  changeLength,
  padLength,
  changeIdentifier,
  changeIdentifier,
  changeIdentifier,
  changeFlags,
  changeFlags,
  changeType,
  putExtreme,
  changeText,
  changeText,
  changeProperties,
  changeProperties,
];

/** Another packet than the one given, or several changes of it. */
export function mutate(packet: Buffer, chance: Chance): Buffer {
  let changed = packet;
  do changed = chance.pick(mutations)(changed, chance);
  while (changed.equals(packet) || chance.happens(0.2));
  return changed;
}
