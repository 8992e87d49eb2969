/** The data types: their limits, and strict UTF-8 against the platform's own decoder. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TstackError } from "../base/index.ts";
import { ByteReader, ByteWriter, decodeUtf8, isWellFormedUtf8 } from "./bytes.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

test("UTF-8 as the platform's strict decoder reads it, but for U+0000", () => {
  // Bytes from the edges of UTF-8's ranges, so that well-formed and nearly well-formed sequences come up.
  const edges = [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0];
  const more = [0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff, 0xbb, 0xbe];
  const arbitraryBytes = fc.oneof(
    fc
      .array(fc.constantFrom(...edges, ...more), { maxLength: 8 })
      .map((bytes) => Buffer.from(bytes)),
    fc.string({ unit: "binary", maxLength: 8 }).map((text) => Buffer.from(text)),
  );
  fc.assert(fc.property(arbitraryBytes, checkAgainstPlatform), { numRuns: 20_000 });
});

test("every sequence of two bytes, read as the platform reads it", () => {
  for (let pair = 0; pair < 0x1_0000; pair++) {
    checkAgainstPlatform(Buffer.from([pair >> 8, pair & 0xff]));
  }
});

test("5.0 [MQTT-1.5.4-1] [MQTT-1.5.4-2] every code point but U+0000 and the surrogates", () => {
  for (let code = 1; code <= 0x10_ffff; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const text = String.fromCodePoint(code);
    const bytes = Buffer.from(text);
    if (decodeUtf8(bytes, 0, bytes.length) !== text) assert.fail(`U+${code.toString(16)}`);
  }
});

test("only the bytes asked for are looked at", () => {
  const bytes = Buffer.from("ff 61 c3 a9 ff".replaceAll(" ", ""), "hex");
  assert.equal(decodeUtf8(bytes, 1, 4), "aé");
  assert.equal(isWellFormedUtf8(bytes, 1, 4), true);
  assert.equal(isWellFormedUtf8(bytes, 1, 3), false);
  assert.equal(isWellFormedUtf8(bytes, 0, 4), false);
  assert.equal(decodeUtf8(bytes, 2, 2), "");
});

const lengths: readonly [value: number, hex: string][] = [
  [0, "00"],
  [127, "7f"],
  [128, "8001"],
  [16_383, "ff7f"],
  [16_384, "808001"],
  [2_097_151, "ffff7f"],
  [2_097_152, "80808001"],
  [268_435_455, "ffffff7f"],
];

for (const [value, hex] of lengths) {
  test(`5.0 [MQTT-1.5.5-1] the variable byte integer ${value}`, () => {
    const writer = new ByteWriter(0);
    writer.writeVariableByteInteger(value);
    assert.equal(writer.toBytes().toString("hex"), hex);
    assert.equal(new ByteReader(Buffer.from(hex, "hex")).readVariableByteInteger(), value);
  });
}

for (const hex of ["8000", "808000", "80808000", "ff00", "8080808001", "ffffffff7f", "80", ""]) {
  test(`5.0 [MQTT-1.5.5-1] the variable byte integer ${hex || "of no bytes"} is refused`, () => {
    const reader = new ByteReader(Buffer.from(hex, "hex"));
    assert.throws(() => reader.readVariableByteInteger(), TstackError);
  });
}

test("integers keep their upper bits", () => {
  const reader = new ByteReader(Buffer.from("ff ffff ffffffff".replaceAll(" ", ""), "hex"));
  assert.equal(reader.readUint8(), 255);
  assert.equal(reader.readUint16(), 65_535);
  assert.equal(reader.readUint32(), 4_294_967_295);
  assert.equal(reader.remaining, 0);
});

test("a reader stops at its end, even where the buffer goes on", () => {
  const buffer = Buffer.from("0001610002", "hex");
  assert.throws(() => new ByteReader(buffer, 0, 2).readString(), TstackError);
  assert.throws(() => new ByteReader(buffer, 0, 1).readUint16(), TstackError);
  assert.throws(() => new ByteReader(buffer, 0, 3).readUint32(), TstackError);
  assert.throws(() => new ByteReader(buffer, 3, 5).readBinary(), TstackError);
  assert.throws(() => new ByteReader(buffer, 5, 5).readUint8(), TstackError);
  assert.throws(() => new ByteReader(buffer, 0, 4).readSection(5), TstackError);
  assert.equal(new ByteReader(buffer, 0, 3).readString(), "a");
});

test("a writer grows, and refuses what the standard cannot say", () => {
  const writer = new ByteWriter(0);
  const longest = "x".repeat(65_535);
  writer.writeString(longest);
  writer.writeBinary(Buffer.alloc(65_535));
  assert.equal(writer.length, 2 * 65_537);
  assert.equal(new ByteReader(writer.toBytes()).readString(), longest);
  assert.throws(() => writer.writeString(`${longest}y`), /bug in tStack/);
  assert.throws(() => writer.writeString("é".repeat(32_768)), /bug in tStack/);
  assert.throws(() => writer.writeBinary(Buffer.alloc(65_536)), /bug in tStack/);
  assert.throws(() => writer.writeVariableByteInteger(268_435_456), /bug in tStack/);
});

function checkAgainstPlatform(bytes: Buffer): void {
  const expected = bytes.includes(0) ? undefined : decodeStrictly(bytes);
  assert.equal(isWellFormedUtf8(bytes, 0, bytes.length), expected !== undefined);
  if (expected === undefined) {
    assert.throws(() => decodeUtf8(bytes, 0, bytes.length), TstackError);
  } else assert.equal(decodeUtf8(bytes, 0, bytes.length), expected);
}

function decodeStrictly(bytes: Buffer): string | undefined {
  try {
    return strict.decode(bytes);
  } catch (error) {
    assert.ok(error instanceof TypeError);
    return undefined;
  }
}
