/** Where the last whole record of a file ends. After it comes what a crash has left of one that was being written. */
import type { FileHandle } from "node:fs/promises";
import type { FileFormat } from "./format.ts";

const chunkBytes = 1_048_576;
const lineEnd = 0x0a;
const quote = 0x22;

/** @returns a number of bytes: `size` where there is nothing after the last whole record */
export function findWholeEnd(
  handle: FileHandle,
  size: number,
  format: FileFormat,
): Promise<number> {
  return format === "csv" ? findCsvEnd(handle, size) : findLineEnd(handle, size);
}

/** From the end backwards: in JSON there are no line ends within a text. */
async function findLineEnd(handle: FileHandle, size: number): Promise<number> {
  for (let end = size; end > 0; end -= chunkBytes) {
    const start = Math.max(0, end - chunkBytes);
    const chunk = await readChunk(handle, start, end);
    const index = chunk.lastIndexOf(lineEnd);
    if (index >= 0) return start + index + 1;
  }
  return 0;
}

/** From the beginning: only there it is known which line ends stand in quotes. */
async function findCsvEnd(handle: FileHandle, size: number): Promise<number> {
  let wholeEnd = 0;
  let isQuoted = false;
  for (let start = 0; start < size; start += chunkBytes) {
    const chunk = await readChunk(handle, start, Math.min(size, start + chunkBytes));
    for (let index = 0; index < chunk.length; index += 1) {
      // A doubled quote within quotes ends and begins them.
      if (chunk[index] === quote) isQuoted = !isQuoted;
      else if (chunk[index] === lineEnd && !isQuoted) wholeEnd = start + index + 1;
    }
  }
  return wholeEnd;
}

async function readChunk(handle: FileHandle, start: number, end: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(
    Buffer.allocUnsafe(end - start),
    0,
    end - start,
    start,
  );
  return buffer.subarray(0, bytesRead);
}
