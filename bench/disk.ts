/** What one commit costs on this disk: a write of some pages and an fsync, again and again as a log does it. */
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { spreadOf } from "./results.ts";

const writeBytes = 8192;
/** The file begins anew here, as the log of a database does. */
const fileBytes = 4_194_304;
const writes = 500;

/** Microseconds from a write to the end of its fsync in a file of `folder`: the median. */
export function measureDisk(folder: string): number {
  const own = mkdtempSync(join(folder, "disk-"));
  const file = openSync(join(own, "log"), "w");
  try {
    const bytes = Buffer.alloc(writeBytes, "x");
    const times = Array.from({ length: writes }, (_, index) => {
      const startedAt = performance.now();
      writeSync(file, bytes, 0, writeBytes, (index * writeBytes) % fileBytes);
      fsyncSync(file);
      return 1000 * (performance.now() - startedAt);
    });
    return spreadOf(times).median;
  } finally {
    closeSync(file);
    rmSync(own, { recursive: true });
  }
}
