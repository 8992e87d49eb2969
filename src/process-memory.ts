/**
 * What JavaScript has of this machine's memory in this process: the heap as V8 has taken it, and the buffers beside it.
 * Not the resident set: that holds pages which the C library keeps after they were freed, and pages of mapped files
 * that the kernel takes back when it likes; it would not come down when the broker lets go.
 */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Of all time, at most one part in so many goes into collections that are asked for. */
const collectionShare = 20;
const collectionMillisecondsMin = 2000;

/**
 * A function that answers how many bytes that are. What V8 has not collected yet counts, so above `bytesMax` it is made
 * to collect first, now and then: otherwise a broker that refuses everybody, and so makes no garbage, would never hear
 * that most of it was garbage. V8 ends the process when its heap is beyond its own limit, so the part of that which is
 * used counts as the same part of `bytesMax`.
 */
export function newMemoryReader(bytesMax: number): () => number {
  let collectedAt = Number.NEGATIVE_INFINITY;
  let collectionMilliseconds = 0;
  const read = (): number => {
    const heap = getHeapStatistics();
    const bytes = heap.total_heap_size + heap.external_memory;
    return Math.max(bytes, (heap.total_heap_size / heap.heap_size_limit) * bytesMax);
  };
  return () => {
    const bytes = read();
    const now = performance.now();
    const pause = Math.max(collectionMillisecondsMin, collectionShare * collectionMilliseconds);
    if (bytes <= bytesMax || now - collectedAt < pause) return bytes;
    collectGarbage();
    collectedAt = performance.now();
    collectionMilliseconds = collectedAt - now;
    return read();
  };
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect === "function") collect();
}
