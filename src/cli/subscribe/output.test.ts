import assert from "node:assert/strict";
import { once } from "node:events";
import { Writable } from "node:stream";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Output } from "./output.ts";

class Sink extends Writable {
  readonly writes: Buffer[] = [];
  release: (() => void) | undefined;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes.push(chunk);
    this.release = done;
  }
}

test("what is printed in one turn is one write", async () => {
  const sink = new Sink();
  const output = new Output(sink);
  output.text("a");
  output.bytes(Buffer.from("b"));
  output.text("ü");
  assert.equal(sink.writes.length, 0);
  await nextTurn();
  assert.deepEqual(sink.writes.map(String), ["abü"]);
});

test("texts and bytes of every size come out whole and in order", async () => {
  const sink = new Writable({ write: (chunk, _encoding, done) => done(void parts.push(chunk)) });
  const parts: Buffer[] = [];
  const output = new Output(sink);
  let expected = "";
  for (const length of [0, 1, 21_845, 21_846, 65_535, 65_536, 65_537, 300_000, 5, 30_000, 40_000]) {
    const text = "€x".repeat(length).slice(0, length);
    output.text(text);
    output.bytes(Buffer.from(text));
    expected += text + text;
  }
  output.flush();
  assert.equal(Buffer.concat(parts).toString(), expected);
});

test("a stdout that takes no more makes it congested, until it drains", async () => {
  const sink = new Sink({ highWaterMark: 10 });
  const output = new Output(sink);
  output.text("more than ten bytes");
  assert.equal(output.congested, false);
  output.flush();
  assert.equal(output.congested, true);
  const drained = once(sink, "drain");
  sink.release?.();
  await drained;
  assert.equal(output.congested, false);
});
