/**
 * What a destination has taken but may not have on its disk yet, in order: it goes there again when the destination was
 * away. Always holds: nothing older than the time that was given, unless it was not taken out since, and no more than
 * `bytesMax`.
 */

interface KeptDelivery {
  readonly bytes: Buffer;
  readonly points: number;
  /** Seconds of the caller's clock, when the destination had taken it. */
  readonly deliveredAt: number;
}

/** Of 32 MiB a minute of Graphite's lines is filled by about 10,000 readings a second; with more, less is kept. */
const bytesMax = 33_554_432;

export class KeptDeliveries {
  readonly #seconds: number;
  readonly #kept: KeptDelivery[] = [];
  #bytes = 0;

  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  get points(): number {
    return this.#kept.reduce((sum, { points }) => sum + points, 0);
  }

  /** Oldest first. */
  get deliveries(): readonly KeptDelivery[] {
    return this.#kept;
  }

  add(delivery: KeptDelivery): void {
    this.#kept.push(delivery);
    this.#bytes += delivery.bytes.length;
    this.removeOld(delivery.deliveredAt);
  }

  /** Forgets what was delivered so long ago that the destination has it on its disk. */
  removeOld(now: number): void {
    const isDone = ({ deliveredAt }: KeptDelivery) => now - deliveredAt >= this.#seconds;
    while (this.#kept.length > 0 && (this.#bytes > bytesMax || isDone(this.#kept[0]))) {
      this.#bytes -= this.#kept.shift()?.bytes.length ?? 0;
    }
  }

  /** They were delivered again, and are as young as new ones. */
  renew(now: number): void {
    for (const [index, delivery] of this.#kept.entries()) {
      this.#kept[index] = { ...delivery, deliveredAt: now };
    }
  }
}
