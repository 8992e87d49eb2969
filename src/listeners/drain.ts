/**
 * Tells when a stream that holds bytes has handed all of them to the operating system. `drain` events do
 * not: none comes for bytes below the high water mark. An empty write behind the bytes does, and costs
 * nothing while the operating system takes every write at once, because then nobody asks.
 */
import type { Writable } from "node:stream";

const noBytes = Buffer.alloc(0);

/** Calls back once `stream.writableLength` is 0; never after the stream was ended or has failed. */
export function whenDrained(stream: Writable, drained: () => void): void {
  if (stream.writableEnded) return;
  stream.write(noBytes, (error) => {
    if (error) return; // `closed` tells of it
    if (stream.writableLength === 0) drained();
    else whenDrained(stream, drained);
  });
}
