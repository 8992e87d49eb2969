/**
 * Points as carbon's pickle receiver reads them: frames of a length and `[(path, (seconds, value)), ...]` in Python's
 * pickle, protocol 2. Only what that list needs is written, and nothing that a safe unpickler would refuse.
 */
import type { GraphitePoint } from "./format.ts";

/** carbon reads frames of up to 1 MiB (PICKLE_RECEIVER_MAX_LENGTH); a point has at most 2040 bytes. */
const frameBytesMax = 500_000;
const framePointBytesMax = 2040;

/** Opcodes of pickletools.py. */
const opcode = {
  proto: 0x80,
  emptyList: 0x5d,
  mark: 0x28,
  appends: 0x65,
  stop: 0x2e,
  binUnicode: 0x58,
  binInt: 0x4a,
  long1: 0x8a,
  binFloat: 0x47,
  tuple2: 0x86,
} as const;
const protocol = 2;
const int32Max = 0x7fff_ffff;

export function encodePickle(points: readonly GraphitePoint[]): Buffer {
  const frames: Buffer[] = [];
  let start = 0;
  while (start < points.length) {
    const { bytes, end } = encodeFrame(points, start);
    frames.push(bytes);
    start = end;
  }
  return Buffer.concat(frames);
}

/** A frame of as many points from `start` on as fit. */
function encodeFrame(points: readonly GraphitePoint[], start: number) {
  const needed = framePointBytesMax * (points.length - start + 1);
  const bytes = Buffer.allocUnsafe(Math.min(needed, frameBytesMax));
  let at = 4;
  at = bytes.writeUInt8(opcode.proto, at);
  at = bytes.writeUInt8(protocol, at);
  at = bytes.writeUInt8(opcode.emptyList, at);
  at = bytes.writeUInt8(opcode.mark, at);
  let end = start;
  while (end < points.length && at + framePointBytesMax < bytes.length) {
    at = writePoint(bytes, at, points[end]);
    end += 1;
  }
  at = bytes.writeUInt8(opcode.appends, at);
  at = bytes.writeUInt8(opcode.stop, at);
  bytes.writeUInt32BE(at - 4, 0);
  return { bytes: Buffer.from(bytes.subarray(0, at)), end };
}

function writePoint(bytes: Buffer, start: number, { path, value, seconds }: GraphitePoint): number {
  let at = bytes.writeUInt8(opcode.binUnicode, start);
  at = bytes.writeUInt32LE(path.length, at);
  // A path is ASCII.
  at += bytes.write(path, at, "latin1");
  if (seconds <= int32Max) {
    at = bytes.writeUInt8(opcode.binInt, at);
    at = bytes.writeInt32LE(seconds, at);
  } else {
    at = bytes.writeUInt8(opcode.long1, at);
    at = bytes.writeUInt8(8, at);
    at = bytes.writeBigInt64LE(BigInt(seconds), at);
  }
  at = bytes.writeUInt8(opcode.binFloat, at);
  at = bytes.writeDoubleBE(value, at);
  at = bytes.writeUInt8(opcode.tuple2, at);
  return bytes.writeUInt8(opcode.tuple2, at);
}
