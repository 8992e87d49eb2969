/**
 * `FrameReader.read`: 1,000 frames of 79 bytes in one chunk, and the same bytes in chunks of 1,460 as a network cuts
 * them, where one frame in eighteen is gathered from two.
 * Measured 2026-11-23 on two shared cores of an Intel Xeon, Node 24.21: 4.9 and 22 ns a frame.
 */
import { FrameReader } from "../../src/codec/index.ts";
import { encodeChunk } from "./samples.ts";
import { measureTasks } from "./stopwatch.ts";

const frames = 1000;
const chunk = encodeChunk(frames, { qos: 1 });
const segmentBytes = 1460;
const segments: Buffer[] = [];
for (let at = 0; at < chunk.length; at += segmentBytes) {
  segments.push(chunk.subarray(at, at + segmentBytes));
}

let seen = 0;
const sink = {
  frame(_bytes: Buffer, _start: number, _bodyStart: number, _end: number): boolean {
    seen++;
    return true;
  },
};
const reader = new FrameReader(1_048_576);

await measureTasks(import.meta.filename, [
  {
    name: "frames in one chunk",
    unit: "frame",
    operations: frames,
    run: () => reader.read(chunk, sink),
  },
  {
    name: "frames in segments of 1,460 bytes",
    unit: "frame",
    operations: frames,
    run: () => {
      for (const segment of segments) reader.read(segment, sink);
    },
  },
]);
if (seen % frames !== 0) throw new Error(`${seen} frames were seen`);
