/** Every vector through the codec: decoded, encoded back, cut short at every byte, and in the midst of other bytes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TstackError } from "../base/index.ts";
import { decodePacket, decodePacketBody } from "./decode.ts";
import { encodePacket } from "./encode.ts";
import type { Packet, ProtocolVersion } from "./packets.ts";
import {
  type DecodedVector,
  parseBytes,
  type Vector,
  vectors,
  versionNames,
} from "./vectors/index.ts";

for (const [group, rows] of Object.entries(vectors)) {
  for (const vector of rows) {
    for (const version of vector.versions) {
      const title = `${group}: ${vector.name} (${versionNames[version]})`;
      test(title, () => checkVector(vector, version));
    }
  }
}

function checkVector(vector: Vector, version: ProtocolVersion): void {
  const bytes = parseBytes(vector.bytes);
  if ("packet" in vector) checkDecoded(vector, bytes, version);
  else {
    // A wrong length would refuse the packet for a reason that the vector is not about.
    if (!vector.lengthLies) assert.equal(bytes[1], bytes.length - 2, "the vector's own length");
    assert.throws(() => decodePacket(bytes, version), hasCode(vector.error, vector.because));
  }
  checkCutShort(bytes, version);
}

function checkDecoded(vector: DecodedVector, bytes: Buffer, version: ProtocolVersion): void {
  assert.deepEqual(decodePacket(bytes, version), vector.packet);
  assert.deepEqual(decodeAmidOthers(bytes, bytes.length, version), vector.packet);
  const written = encodePacket(vector.packet, version);
  if (vector.canonical === false) {
    assert.notEqual(written.toString("hex"), bytes.toString("hex"));
    assert.deepEqual(decodePacket(written, version), vector.packet);
  } else assert.equal(written.toString("hex"), bytes.toString("hex"));
}

/** A part of a packet is never the packet; a part that claims to be whole never reads what lies behind it. */
function checkCutShort(bytes: Buffer, version: ProtocolVersion): void {
  for (let end = 0; end < Math.min(2, bytes.length); end++) {
    assert.throws(() => decodePacket(bytes.subarray(0, end), version), TstackError);
  }
  for (let end = 2; end < bytes.length; end++) {
    if (bytes[1] > end - 2) {
      assert.throws(() => decodePacket(bytes.subarray(0, end), version), TstackError);
    }
    const alone = outcome(() => decodeAlone(bytes.subarray(0, end), version));
    assert.deepEqual(
      outcome(() => decodeAmidOthers(bytes, end, version)),
      alone,
    );
  }
}

function decodeAlone(bytes: Buffer, version: ProtocolVersion): Packet {
  return decodePacketBody(bytes[0], bytes, 2, bytes.length, version);
}

function decodeAmidOthers(bytes: Buffer, end: number, version: ProtocolVersion): Packet {
  const around = Buffer.alloc(40, 0x61);
  const buffer = Buffer.concat([around, bytes, around]);
  return decodePacketBody(bytes[0], buffer, around.length + 2, around.length + end, version);
}

function outcome(decode: () => Packet): unknown {
  try {
    return decode();
  } catch (error) {
    assert.ok(error instanceof TstackError, `threw ${error}`);
    return [error.code, error.message];
  }
}

function hasCode(code: string, because: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof TstackError, `threw ${error}`);
    assert.equal(error.code, code);
    assert.ok(error.message.includes(because), `${error.message} (expected: ${because})`);
    return true;
  };
}
