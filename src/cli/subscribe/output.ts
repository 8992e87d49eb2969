/**
 * Gathers what is printed and writes it once a tick: many small messages become one write. It holds at
 * most one slab of its own; what stdout does not take is stdout's, and `congested` says so.
 */
import type { Writable } from "node:stream";

const slabBytes = 65_536;
/** UTF-8 takes three bytes at most for each unit of a JavaScript text. */
const bytesPerUnitMax = 3;

export class Output {
  readonly #stdout: Writable;
  readonly #slab = Buffer.allocUnsafeSlow(slabBytes);
  #used = 0;
  #flushPlanned = false;

  constructor(stdout: Writable) {
    this.#stdout = stdout;
  }

  /** Whether stdout wants no more for now: it emits `drain` when it does. */
  get congested(): boolean {
    return this.#stdout.writableNeedDrain;
  }

  text(text: string): void {
    const bytesMax = text.length * bytesPerUnitMax;
    if (bytesMax > slabBytes) {
      this.bytes(Buffer.from(text));
      return;
    }
    if (this.#used + bytesMax > slabBytes) this.flush();
    this.#used += this.#slab.write(text, this.#used);
    this.#planFlush();
  }

  bytes(bytes: Uint8Array): void {
    if (this.#used + bytes.length > slabBytes) this.flush();
    if (bytes.length > slabBytes) {
      this.#stdout.write(bytes);
      return;
    }
    this.#slab.set(bytes, this.#used);
    this.#used += bytes.length;
    this.#planFlush();
  }

  flush(): void {
    if (this.#used === 0) return;
    // A copy, since stdout may write it later, and the slab is filled again at once.
    this.#stdout.write(Buffer.from(this.#slab.subarray(0, this.#used)));
    this.#used = 0;
  }

  /** Writes the rest; resolves once stdout has taken it, or has failed and said so by `error`. */
  async end(): Promise<void> {
    this.flush();
    await new Promise<void>((resolve) => {
      this.#stdout.write("", () => setImmediate(resolve));
    });
  }

  #planFlush(): void {
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    setImmediate(() => {
      this.#flushPlanned = false;
      this.flush();
    });
  }
}
