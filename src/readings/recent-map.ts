/**
 * Remembers what was made for a key for as long as it is asked for now and then. Always holds: it has at most the given
 * entries and bytes, whatever keys come; a look-up never depends on how many there are.
 */
import { rememberedBytesMax, rememberedMax } from "./bounds.ts";

/** What an entry takes beside the letters of its key: objects, maps, the place in the table. */
const entryBytes = 320;

export class RecentMap<Value> {
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  #young = new Map<string, Value>();
  #youngBytes = 0;
  /** What was asked for before the young were so many; what is not asked for again goes with it. */
  #old = new Map<string, Value>();

  constructor(entriesMax = rememberedMax, bytesMax = rememberedBytesMax) {
    this.#entriesMax = entriesMax;
    this.#bytesMax = bytesMax;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): Value | undefined {
    const value = this.#young.get(key);
    if (value !== undefined) return value;
    const older = this.#old.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  /** Of a key that `get` does not know. */
  set(key: string, value: Value): void {
    // Both generations are at most half of what is allowed.
    const bytes = entryBytes + 4 * key.length;
    const isFull =
      this.#young.size >= this.#entriesMax / 2 || this.#youngBytes + bytes > this.#bytesMax / 2;
    if (isFull) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(key, value);
    this.#youngBytes += bytes;
  }
}
