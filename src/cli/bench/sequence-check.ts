/**
 * Finds what is missing, comes twice or comes out of order, in the sequences of several publishers as one
 * subscriber sees them. Costs a comparison for each message as long as all is well.
 */

interface Sequence {
  readonly publisher: number;
  /** The number that it began with, as far as is known. */
  first: number;
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

  /** @param startsAtZero false takes the earliest number that comes as the beginning. */
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
      const first = this.#startsAtZero ? 0 : number;
      sequence = { publisher, first, next: first, gaps: [] };
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
    if (number < sequence.first) {
      this.outOfOrder += 1;
      this.missing += sequence.first - number - 1;
      if (number + 1 < sequence.first) gaps.unshift([number + 1, sequence.first]);
      sequence.first = number;
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

/** The sequences of every run, as seen by one subscriber, or by all who share a subscription. */
export class RunChecks {
  readonly own = new SequenceCheck(true);
  readonly #others = new Map<number, SequenceCheck>();

  get all(): SequenceCheck[] {
    return [this.own, ...this.#others.values()];
  }

  ofOther(run: number): SequenceCheck {
    let check = this.#others.get(run);
    if (check === undefined) {
      check = new SequenceCheck(false);
      this.#others.set(run, check);
    }
    return check;
  }
}
