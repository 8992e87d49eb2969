/** The fixed header and the strings of every packet: 5.0, sections 1.5 and 2.1. */
import { PacketType } from "../packets.ts";
import { all, both3, type Vector } from "./vector.ts";

const malformed = "MQTT_MALFORMED_PACKET";
const plain = {
  type: PacketType.publish,
  payload: Buffer.alloc(0),
  qos: 0,
  retain: false,
  dup: false,
  properties: {},
} as const;

const headers: readonly Vector[] = [
  {
    name: "packet type 0",
    versions: all,
    bytes: "00 00",
    error: malformed,
    because: "no packet of type 0",
  },
  {
    name: "no byte at all",
    versions: all,
    bytes: "",
    error: malformed,
    because: "too early",
    lengthLies: true,
  },
  {
    name: "a first byte alone",
    versions: all,
    bytes: "c0",
    error: malformed,
    because: "too early",
    lengthLies: true,
  },
  {
    name: "a Remaining Length that ends in its middle",
    versions: all,
    bytes: "30 80",
    error: malformed,
    because: "too early",
    lengthLies: true,
  },
  {
    name: "5.0 [MQTT-1.5.5-1] a Remaining Length in more bytes than needed",
    versions: all,
    bytes: "c0 80 00",
    error: malformed,
    because: "more bytes than needed",
    lengthLies: true,
  },
  {
    name: "a Remaining Length of five bytes",
    versions: all,
    bytes: "c0 80 80 80 80 01",
    error: malformed,
    because: "longer than four bytes",
    lengthLies: true,
  },
  {
    name: "a Remaining Length of four bytes, the last with a continuation bit",
    versions: all,
    bytes: "c0 ff ff ff ff",
    error: malformed,
    because: "longer than four bytes",
    lengthLies: true,
  },
  {
    name: "256 MB announced and not sent",
    versions: all,
    bytes: `30 ff ff ff 7f 0001 "a"`,
    error: malformed,
    because: "268435455 bytes came with 3",
    lengthLies: true,
  },
  {
    name: "more bytes than announced",
    versions: all,
    bytes: "c0 00 00",
    error: malformed,
    because: "0 bytes came with 1",
    lengthLies: true,
  },
];

const goodStrings: readonly Vector[] = [
  ["3.1.1 [MQTT-1.5.3-3] a byte order mark is kept", "05 0003 efbbbf", "\uFEFF"],
  [
    "3.1.1 [MQTT-1.5.3-3] a byte order mark in the middle is kept",
    "07 0005 61 efbbbf 62",
    "a\uFEFFb",
  ],
  ["U+FFFE and U+FFFF are characters", "08 0006 efbfbe efbfbf", "\uFFFE\uFFFF"],
  ["control characters are characters", "05 0003 01 1f 7f", "\u0001\u001f\u007f"],
  ["C1 control characters are characters", "06 0004 c280 c29f", "\u0080\u009f"],
  ["two, three and four bytes", "0b 0009 c3a9 e282ac f09f9880", "é€😀"],
  ["the last before and the first after the surrogates", "08 0006 ed9fbf ee8080", "\uD7FF\uE000"],
  ["the last code point", "06 0004 f48fbfbf", "\u{10FFFF}"],
].map(([name, body, topic]) => ({
  name: `a string: ${name}`,
  versions: both3,
  bytes: `30 ${body}`,
  packet: { ...plain, topic },
}));

const badStrings: readonly Vector[] = [
  ["3.1.1 [MQTT-1.5.3-2] U+0000", "03 0001 00"],
  ["3.1.1 [MQTT-1.5.3-2] U+0000 behind other text", "06 0004 61 c3a9 00"],
  ["3.1.1 [MQTT-1.5.3-1] U+0000 in two bytes", "04 0002 c080"],
  ["3.1.1 [MQTT-1.5.3-1] the first surrogate", "05 0003 eda080"],
  ["3.1.1 [MQTT-1.5.3-1] the last surrogate", "05 0003 edbfbf"],
  ["3.1.1 [MQTT-1.5.3-1] a surrogate pair", "08 0006 eda0bd edb880"],
  ["3.1.1 [MQTT-1.5.3-1] a continuation byte alone", "03 0001 80"],
  ["3.1.1 [MQTT-1.5.3-1] a sequence cut short at the end", "04 0002 e282"],
  ["3.1.1 [MQTT-1.5.3-1] a sequence cut short by text", "05 0003 e28261"],
  ["3.1.1 [MQTT-1.5.3-1] a four-byte sequence cut short", "06 0004 f09f9861"],
  ["3.1.1 [MQTT-1.5.3-1] two bytes where one would do", "04 0002 c1bf"],
  ["3.1.1 [MQTT-1.5.3-1] three bytes where two would do", "05 0003 e09fbf"],
  ["3.1.1 [MQTT-1.5.3-1] four bytes where three would do", "06 0004 f08fbfbf"],
  ["3.1.1 [MQTT-1.5.3-1] beyond the last code point", "06 0004 f4908080"],
  ["3.1.1 [MQTT-1.5.3-1] a byte that UTF-8 never has", "03 0001 f5"],
].map(([name, body]) => ({
  name: `a string: ${name}`,
  versions: both3,
  bytes: `30 ${body}`,
  error: malformed,
  because: "UTF-8",
}));

export const fixedHeaderVectors: readonly Vector[] = [...headers, ...goodStrings, ...badStrings];
