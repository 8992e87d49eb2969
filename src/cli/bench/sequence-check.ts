/**
 * Finds what is missing, comes twice or comes out of order, in the sequences of several publishers as one
 * subscriber sees them. Costs a comparison for each message as long as all is well.
 */

interface Sequence {
  readonly publisher: number;
  /** The number that should come next. */
  next: number;
  /** What was passed over and may still come: `[from, to)`, in order. */
  gaps: [from: number, to: number][];
}

/** Gaps that are remembered for each publisher; the oldest count as lost for good. */
const gapsMax = 10_000;

export class SequenceCheck {
  duplicates = 0;
  outOfOrder = 0;
  /** Passed over, and not come since. */
  missing = 0;
  readonly #startsAtZero: boolean;
  readonly #sequences = new Map<number, Sequence>();
  #last: Sequence | undefined;

  /** @param startsAtZero false takes the first number that comes as the beginning. */
  constructor(startsAtZero: boolean) {
    this.#startsAtZero = startsAtZero;
  }

  note(publisher: number, number: number): void {
    let sequence = this.#last;
    if (sequence === undefined || sequence.publisher !== publisher) {
      sequence = this.#find(publisher, number);
    }
    if (number === sequence.next) sequence.next += 1;
    else this.#noteUnexpected(sequence, number);
  }

  #find(publisher: number, number: number): Sequence {
    let sequence = this.#sequences.get(publisher);
    if (sequence === undefined) {
      sequence = { publisher, next: this.#startsAtZero ? 0 : number, gaps: [] };
      this.#sequences.set(publisher, sequence);
    }
    this.#last = sequence;
    return sequence;
  }

  #noteUnexpected(sequence: Sequence, number: number): void {
    const { gaps, next } = sequence;
    if (number > next) {
      this.missing += number - next;
      gaps.push([next, number]);
      if (gaps.length > gapsMax) gaps.shift();
      sequence.next = number + 1;
      return;
    }
    const index = gaps.findIndex(([from, to]) => number >= from && number < to);
    if (index === -1) {
      this.duplicates += 1;
      return;
    }
    this.outOfOrder += 1;
    this.missing -= 1;
    const [from, to] = gaps[index];
    const rest: [number, number][] = [];
    if (from < number) rest.push([from, number]);
    if (number + 1 < to) rest.push([number + 1, to]);
    gaps.splice(index, 1, ...rest);
  }
}
