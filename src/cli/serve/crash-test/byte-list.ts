/** Bytes by index that grow as they are needed: one for each message, of which there may be millions. What was not set is 0. */
export class ByteList {
  #bytes = new Uint8Array(1024);

  get(index: number): number {
    return this.#bytes[index] ?? 0;
  }

  set(index: number, value: number): void {
    while (index >= this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[index] = value;
  }
}
