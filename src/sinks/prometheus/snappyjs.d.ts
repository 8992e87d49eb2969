/** What we use of snappyjs, which brings no types. */
declare module "snappyjs" {
  /** Snappy's block format. */
  export function compress(plain: Uint8Array): Uint8Array;
  export function uncompress(compressed: Uint8Array, bytesMax?: number): Uint8Array;
}
