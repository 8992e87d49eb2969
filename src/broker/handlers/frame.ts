/** Where one packet lies: its first byte at `start`, its body from `bodyStart` to `end`. */
export interface Frame {
  readonly bytes: Buffer;
  readonly start: number;
  readonly bodyStart: number;
  readonly end: number;
}
