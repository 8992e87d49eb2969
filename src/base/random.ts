/** Randomness as an interface, so that a simulation can replay a seed. */
export interface Random {
  /** `count` unpredictable bytes, as lower-case hexadecimal digits. */
  hexadecimal(count: number): string;
}
