/**
 * Buffers for outgoing bytes, used again and again, in a few sizes: small ones for the few bytes most connections send
 * in a tick, larger ones for the others. Bounded, so that a burst does not stay in memory.
 */
const sizes = [
  { slabBytes: 2048, keptMax: 2048 },
  { slabBytes: 16_384, keptMax: 512 },
  { slabBytes: 65_536, keptMax: 64 },
] as const;

export class SlabPool {
  readonly #kept: Buffer[][] = sizes.map(() => []);

  /** One that has room for `length` bytes, at most 65,536. */
  take(length: number): Buffer {
    for (let index = 0; index < sizes.length - 1; index++) {
      const { slabBytes } = sizes[index];
      if (length <= slabBytes) return this.#kept[index].pop() ?? Buffer.allocUnsafeSlow(slabBytes);
    }
    return this.#kept[sizes.length - 1].pop() ?? Buffer.allocUnsafeSlow(65_536);
  }

  /** Only for a slab whose bytes nobody will read any more. */
  giveBack(slab: Buffer): void {
    for (const [index, { slabBytes, keptMax }] of sizes.entries()) {
      if (slab.length !== slabBytes) continue;
      if (this.#kept[index].length < keptMax) this.#kept[index].push(slab);
      return;
    }
  }
}
