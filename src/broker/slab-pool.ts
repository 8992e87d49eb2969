/**
 * Buffers for outgoing bytes, used again and again: a small one for the few bytes most connections send in a tick,
 * a large one for the others. Bounded, so that a burst does not stay in memory.
 */
const smallBytes = 2048;
const largeBytes = 65_536;
const smallKept = 2048;
const largeKept = 64;

export class SlabPool {
  readonly #small: Buffer[] = [];
  readonly #large: Buffer[] = [];

  /** One that has room for `length` bytes, at most 65,536. */
  take(length: number): Buffer {
    if (length <= smallBytes) return this.#small.pop() ?? Buffer.allocUnsafeSlow(smallBytes);
    return this.#large.pop() ?? Buffer.allocUnsafeSlow(largeBytes);
  }

  /** Only for a slab whose bytes nobody will read any more. */
  giveBack(slab: Buffer): void {
    if (slab.length === smallBytes) {
      if (this.#small.length < smallKept) this.#small.push(slab);
    } else if (slab.length === largeBytes && this.#large.length < largeKept) {
      this.#large.push(slab);
    }
  }
}
