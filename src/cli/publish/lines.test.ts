import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkPayloadBytes, payloadBytesMax, readLines } from "./lines.ts";

async function linesOf(chunks: readonly Buffer[]): Promise<string[]> {
  async function* source() {
    yield* chunks;
  }
  const lines: string[] = [];
  for await (const batch of readLines(source())) lines.push(...batch.map(String));
  return lines;
}

test("lines are the same however the bytes are cut into chunks", async () => {
  const text = fc.string({ unit: fc.constantFrom("a", "é", "\n", "\r", "\0"), maxLength: 60 });
  const cuts = fc.array(fc.nat({ max: 100 }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(text, cuts, async (content, positions) => {
      const bytes = Buffer.from(content);
      const edges = [0, ...positions.map((at) => Math.min(at, bytes.length)), bytes.length];
      edges.sort((a, b) => a - b);
      const chunks = edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
      const expected = content.split("\n");
      if (expected.at(-1) === "") expected.pop();
      assert.deepEqual(await linesOf(chunks), expected);
    }),
  );
});

test("a payload that no PUBLISH can carry is refused", () => {
  checkPayloadBytes(payloadBytesMax);
  assert.throws(() => checkPayloadBytes(payloadBytesMax + 1), /bytes at most/);
});
