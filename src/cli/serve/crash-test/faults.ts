/** What a crash test finds wrong: how often each kind, and the first of each in words. */

export const faultKinds = [
  /** Acknowledged, and never received. */
  "missing",
  /** QoS 2, received more than once. */
  "twice",
  /** Received after what was sent later. */
  "order",
  /** Received, and nobody sent it so. */
  "damaged",
  /** A retained value that is neither the last acknowledged nor a later one. */
  "retained",
  "session",
  /** A subscription that is not as it was acknowledged last. */
  "subscription",
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** Of each kind told in words. */
const examplesMax = 5;

export class Faults {
  readonly #counts = new Map<FaultKind, number>();
  readonly #examples = new Map<FaultKind, string[]>();

  add(kind: FaultKind, text: string): void {
    this.#counts.set(kind, this.count(kind) + 1);
    const examples = this.#examples.get(kind) ?? [];
    if (examples.length < examplesMax) this.#examples.set(kind, [...examples, text]);
  }

  count(kind: FaultKind): number {
    return this.#counts.get(kind) ?? 0;
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** The first of each kind. */
  get examples(): readonly string[] {
    return [...this.#examples.values()].flat();
  }
}
