/** The frame reader against a naive framing of the same stream, cut wherever a network may cut it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { type ErrorCode, TstackError } from "../base/index.ts";
import { FrameReader, type FrameSink } from "./frame-reader.ts";

const packetBytesMax = 1_048_576;

/** A packet of type PINGREQ's byte and up, with `bodyBytes` bytes that tell packets apart. */
function packet(firstByte: number, bodyBytes: number): Buffer {
  const length: number[] = [];
  let rest = bodyBytes;
  do {
    length.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  const body = Buffer.alloc(bodyBytes, firstByte);
  for (let at = 0; at < bodyBytes; at += 7) body[at] = at & 0xff;
  return Buffer.concat([Buffer.from([firstByte, ...length]), body]);
}

interface Frame {
  readonly bytes: string;
  readonly bodyBytes: number;
}

/** What a stream of whole packets must come out as: the naive framing is that they were packets before. */
function framesOf(packets: readonly Buffer[]): Frame[] {
  return packets.map((bytes) => {
    let lengthBytes = 1;
    while (bytes[lengthBytes] >= 0x80) lengthBytes++;
    return { bytes: bytes.toString("latin1"), bodyBytes: bytes.length - lengthBytes - 1 };
  });
}

/** Notes frames; answers false, and so stops the reader, after each frame whose turn is in `stops`. */
class Recorder implements FrameSink {
  readonly frames: Frame[] = [];
  readonly #stops: ReadonlySet<number>;
  isStopped = false;

  constructor(stops: Iterable<number> = []) {
    this.#stops = new Set(stops);
  }

  frame(bytes: Buffer, start: number, bodyStart: number, end: number): boolean {
    assert.ok(!this.isStopped, "a frame came while the reader was stopped");
    this.frames.push({
      bytes: bytes.toString("latin1", start, end),
      bodyBytes: end - bodyStart,
    });
    this.isStopped = this.#stops.has(this.frames.length - 1);
    return !this.isStopped;
  }
}

function cut(stream: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...places, stream.length].sort((a, b) => a - b);
  return sorted.slice(1).map((end, index) => Buffer.from(stream.subarray(sorted[index], end)));
}

function readAll(chunks: readonly Buffer[]): Frame[] {
  const reader = new FrameReader(packetBytesMax);
  const recorder = new Recorder();
  for (const chunk of chunks) reader.read(chunk, recorder);
  assert.equal(reader.incomplete, false);
  return recorder.frames;
}

function refusal(run: () => void): ErrorCode | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof TstackError, `threw ${error}`);
    return error.code;
  }
}

/** Short ones, one of each number of length bytes up to two, and one longer than the first buffer of a partial. */
const few = [0, 2, 1, 0, 127, 130, 3, 0].map((size, index) => packet(0x10 + index, size));

test("packets come out whole wherever the stream is cut once", () => {
  const stream = Buffer.concat(few);
  for (let at = 0; at <= stream.length; at++) {
    assert.deepEqual(readAll(cut(stream, [at])), framesOf(few), `cut at ${at}`);
  }
});

test("packets come out whole wherever the stream is cut twice", () => {
  const packets = [0, 1, 130, 0, 2].map((size, index) => packet(0x20 + index, size));
  const stream = Buffer.concat(packets);
  const expected = framesOf(packets);
  for (let first = 0; first <= stream.length; first++) {
    for (let second = first; second <= stream.length; second++) {
      assert.deepEqual(readAll(cut(stream, [first, second])), expected, `at ${first}, ${second}`);
    }
  }
});

test("packets come out whole when each byte comes alone", () => {
  const packets = [...few, packet(0x30, 20_000)];
  const stream = Buffer.concat(packets);
  const places = Array.from({ length: stream.length }, (_, at) => at);
  assert.deepEqual(readAll(cut(stream, places)), framesOf(packets));
});

const sizes = fc.array(
  fc.oneof(fc.nat(5), fc.nat(300), fc.constantFrom(127, 128, 16_383, 16_384, 70_000)),
  { maxLength: 12 },
);

test("packets, cuts, stops and resumes at random leave the stream as it was", () => {
  const property = fc.property(
    sizes,
    fc.array(fc.nat(), { maxLength: 12 }),
    fc.uniqueArray(fc.nat(12), { maxLength: 6 }),
    fc.infiniteStream(fc.boolean()),
    (lengths, cuts, stops, resumesNow) => {
      const packets = lengths.map((size, index) => packet(index, size));
      const stream = Buffer.concat(packets);
      const chunks = cut(
        stream,
        cuts.map((at) => at % (stream.length + 1)),
      );
      const reader = new FrameReader(packetBytesMax);
      const recorder = new Recorder(stops);
      const resume = (): void => {
        recorder.isStopped = false;
        reader.resume(recorder);
      };
      for (const chunk of chunks) {
        const lent = Buffer.from(chunk);
        reader.read(lent, recorder);
        lent.fill(0xee);
        if (recorder.isStopped && resumesNow.next().value) resume();
      }
      while (recorder.isStopped) resume();
      assert.deepEqual(recorder.frames, framesOf(packets));
      assert.equal(reader.incomplete, false);
    },
  );
  fc.assert(property, { numRuns: 2000 });
});

/** What comes of any bytes: frames, and then an error, the beginning of a packet, or nothing. */
function outcomeOf(chunks: readonly Buffer[], bytesMax: number) {
  const reader = new FrameReader(bytesMax);
  const recorder = new Recorder();
  const code = refusal(() => {
    for (const chunk of chunks) reader.read(chunk, recorder);
  });
  // The rest of what was refused is not read on, so how much of it is kept is all the same.
  return { frames: recorder.frames, code, incomplete: code === undefined && reader.incomplete };
}

test("any bytes come to the same in any pieces: frames, and where a length lies the same refusal", () => {
  // Often the bytes that lengths are made of, so that there are frames, and lengths of four bytes and of five.
  const byte = fc.oneof(fc.constantFrom(0, 1, 2, 3, 0x7f, 0x80, 0x81, 0xff), fc.nat(255));
  const property = fc.property(
    fc.array(byte, { maxLength: 60, size: "max" }),
    fc.array(fc.nat(60), { maxLength: 12, size: "max" }),
    fc.constantFrom(20, 200, 268_435_460),
    (bytes, places, bytesMax) => {
      const stream = Buffer.from(bytes);
      const cuts = places.map((at) => Math.min(at, stream.length));
      assert.deepEqual(outcomeOf(cut(stream, cuts), bytesMax), outcomeOf([stream], bytesMax));
    },
  );
  fc.assert(property, { numRuns: 5000 });
});

test("a stop at a packet that spans chunks keeps the rest of the chunk", () => {
  const packets = [packet(0x10, 5), packet(0x20, 5), packet(0x30, 0)];
  const [first, second] = cut(Buffer.concat(packets), [4]);
  const reader = new FrameReader(packetBytesMax);
  const recorder = new Recorder([0, 1]);
  reader.read(first, recorder);
  assert.ok(reader.incomplete);
  reader.read(second, recorder);
  assert.equal(recorder.frames.length, 1);
  const later = packet(0x40, 1);
  reader.read(later, recorder);
  assert.equal(recorder.frames.length, 1, "what comes while it is stopped waits");
  recorder.isStopped = false;
  reader.resume(recorder);
  assert.equal(recorder.frames.length, 2, "stopped again, with the rest still waiting");
  recorder.isStopped = false;
  reader.resume(recorder);
  assert.deepEqual(recorder.frames, framesOf([...packets, later]));
});

test("a packet as long as the limit is taken, one more byte is refused", () => {
  const limit = 200;
  for (const split of [false, true]) {
    const take = (bytes: Buffer): ErrorCode | undefined =>
      refusal(() => {
        const reader = new FrameReader(limit);
        for (const chunk of split ? cut(bytes, [1, 2, 3]) : [bytes]) {
          reader.read(chunk, new Recorder());
        }
      });
    assert.equal(take(packet(0x30, limit - 3)), undefined);
    assert.equal(take(packet(0x30, limit - 2)), "MQTT_PACKET_TOO_LARGE");
  }
});

test("a length beyond the limit is refused as soon as it is known, before the body", () => {
  const announcement = Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]);
  for (let at = 0; at <= announcement.length; at++) {
    const reader = new FrameReader(packetBytesMax);
    const chunks = cut(announcement, [at]);
    assert.equal(
      refusal(() => {
        for (const chunk of chunks) reader.read(chunk, new Recorder());
      }),
      "MQTT_PACKET_TOO_LARGE",
      `cut at ${at}`,
    );
  }
});

test("a fifth length byte is malformed, wherever the stream is cut", () => {
  const bytes = Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01, 0, 0]);
  for (let at = 0; at <= bytes.length; at++) {
    const reader = new FrameReader(packetBytesMax);
    assert.equal(
      refusal(() => {
        for (const chunk of cut(bytes, [at])) reader.read(chunk, new Recorder());
      }),
      "MQTT_MALFORMED_PACKET",
      `cut at ${at}`,
    );
  }
});

test("packets before a broken length are handed over", () => {
  const good = packet(0x10, 3);
  const recorder = new Recorder();
  const reader = new FrameReader(packetBytesMax);
  const stream = Buffer.concat([good, Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x7f])]);
  assert.equal(
    refusal(() => reader.read(stream, recorder)),
    "MQTT_MALFORMED_PACKET",
  );
  assert.deepEqual(recorder.frames, framesOf([good]));
});

/** Bytes of all buffers that something still refers to. */
async function heldBytes(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let round = 0; round < 3; round++) {
    collect();
    await setTimeout(20); // buffers are freed beside the program
  }
  return process.memoryUsage().arrayBuffers;
}

test("an announced length takes no memory, only the bytes that have come do", async () => {
  const readers: FrameReader[] = [];
  const before = await heldBytes();
  for (let count = 0; count < 20; count++) {
    const reader = new FrameReader(268_435_460);
    reader.read(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]), new Recorder());
    for (let piece = 0; piece < 10; piece++) reader.read(Buffer.alloc(1000), new Recorder());
    readers.push(reader);
  }
  const kept = (await heldBytes()) - before;
  assert.ok(readers.every((reader) => reader.incomplete));
  assert.ok(kept > 20 * 10_000, "10 KB came for each");
  assert.ok(kept < 20 * 25_000, `${kept} bytes are held for 20 packets of 256 MB`);
});

test("the few bytes of a packet that has begun do not hold their chunk", () => {
  const reader = new FrameReader(packetBytesMax);
  const recorder = new Recorder();
  const chunk = Buffer.from([0xc0, 0, 0x30]);
  reader.read(chunk, recorder);
  chunk.fill(0xff); // were it kept, the packet would now begin with 0xff
  reader.read(Buffer.from([1, 7]), recorder);
  assert.deepEqual(recorder.frames.at(-1), { bytes: "\x30\x01\x07", bodyBytes: 1 });
});

test("what a peer in this process sends while its packet is handled comes behind the rest of the chunk", () => {
  const answer = packet(0x41, 130);
  for (let at = 1; at < answer.length; at++) {
    const reader = new FrameReader(packetBytesMax);
    const recorder = new Recorder();
    let answers = cut(answer, [at]);
    const answering: FrameSink = {
      frame(...parts) {
        const [now, ...later] = answers;
        answers = later;
        if (now !== undefined) reader.read(now, answering);
        return recorder.frame(...parts);
      },
    };
    reader.read(Buffer.concat(few), answering);
    assert.deepEqual(recorder.frames, framesOf([...few, answer]), `cut at ${at}`);
  }
});

test("of what came while a packet was handled, nothing overtakes the rest when the reader was stopped there", () => {
  const reader = new FrameReader(packetBytesMax);
  const recorder = new Recorder([0]);
  const [one, two, three] = [packet(0x41, 5), packet(0x42, 300), packet(0x43, 1)];
  let isAnswered = false;
  const answering: FrameSink = {
    frame(...parts) {
      if (!isAnswered) {
        isAnswered = true;
        reader.read(three, answering);
      }
      return recorder.frame(...parts);
    },
  };
  reader.read(Buffer.concat([one, two]), answering);
  recorder.isStopped = false;
  reader.resume(answering);
  assert.deepEqual(recorder.frames, framesOf([one, two, three]));
});
