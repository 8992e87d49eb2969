/**
 * Cuts bytes into lines, however they arrive in chunks. A line ends at `\n`, which is not part of it;
 * what follows the last `\n` is a line too, unless it is empty.
 */
import { ProgramFailure } from "../client/index.ts";

/** The most that a PUBLISH can carry (5.0, section 2.1.4), less its topic. */
export const payloadBytesMax = 268_435_455 - 65_535 - 4;

const newline = 0x0a;

/** Yields the lines of each chunk together, so that a chunk costs one turn and not one per line. */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly Buffer[]> {
  let unfinished: Buffer[] = [];
  let unfinishedBytes = 0;
  for await (const bytes of chunks) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      const piece = chunk.subarray(start, end);
      lines.push(unfinished.length === 0 ? piece : Buffer.concat([...unfinished, piece]));
      if (unfinished.length > 0) unfinished = [];
      start = end + 1;
    }
    if (start > 0) unfinishedBytes = 0;
    if (start < chunk.length) {
      unfinished.push(chunk.subarray(start));
      unfinishedBytes += chunk.length - start;
      checkPayloadBytes(unfinishedBytes);
    }
    if (lines.length > 0) yield lines;
  }
  if (unfinished.length > 0) yield [Buffer.concat(unfinished)];
}

/** @throws {ProgramFailure} where no PUBLISH can carry so much. */
export function checkPayloadBytes(bytes: number): void {
  if (bytes > payloadBytesMax) {
    throw new ProgramFailure(`a message may have ${payloadBytesMax} bytes at most`);
  }
}
