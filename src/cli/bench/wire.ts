/**
 * What all clients of one run share: the clock, the buffer that their sockets read into, the buffer that
 * what they send is gathered in, and the end of a tick, at which publishers send what has become possible.
 * One buffer for all is enough because reading and gathering are never interrupted.
 */
import type { MonotonicClock } from "./monotonic-clock.ts";

const readBytes = 131_072;
/** Of messages written at once, unless one is larger. */
const slabBytesMin = 65_536;

export interface Pump {
  /** Sends what may be sent now. */
  pump(): void;
}

export class Wire {
  readonly clock: MonotonicClock;
  readonly readBuffer = Buffer.allocUnsafeSlow(readBytes);
  /** Microseconds, when the present chunk was read or the present tick ended. */
  now: number;
  #slabBytes = slabBytesMin;
  #slab: Buffer | undefined;
  #touched: Pump[] = [];
  #spare: Pump[] = [];
  readonly #endTick = (): void => this.endTick();

  constructor(clock: MonotonicClock) {
    this.clock = clock;
    this.now = clock();
  }

  /** The slab has room for a frame of this size. */
  makeRoom(frameBytes: number): void {
    if (frameBytes <= this.#slabBytes) return;
    this.#slabBytes = frameBytes;
    this.#slab = undefined;
  }

  /** Where bytes are gathered. */
  get slab(): Buffer {
    this.#slab ??= Buffer.allocUnsafeSlow(this.#slabBytes);
    return this.#slab;
  }

  /** A socket still holds bytes of the slab: the next ones go to another. */
  leaveSlab(): void {
    this.#slab = undefined;
  }

  /** `pump` is called at the end of this tick, once all sockets that have something were read. */
  touch(pump: Pump): void {
    if (this.#touched.length === 0) setImmediate(this.#endTick);
    this.#touched.push(pump);
  }

  /** What is touched meanwhile belongs to the next tick. */
  endTick(): void {
    this.now = this.clock();
    const touched = this.#touched;
    this.#touched = this.#spare;
    for (const pump of touched) pump.pump();
    touched.length = 0;
    this.#spare = touched;
  }
}
