/**
 * What the retained value of each topic may be. A value is taken over at some moment between the broker's hearing of it
 * and its acknowledgement; one that surely came after another has replaced it.
 */

interface Candidate {
  /** The message's name; empty for none. */
  readonly name: string;
  /** It was taken over no sooner. */
  readonly from: number;
  /** And no later, if ever. Infinity while that is open. */
  to: number;
}

interface Past {
  readonly name: string;
  /** From this moment on it could not be the value any more. */
  readonly until: number;
}

export class RetainedModel {
  readonly #topics = new Map<string, { candidates: Candidate[]; readonly past: Past[] }>();

  get topics(): IterableIterator<string> {
    return this.#topics.keys();
  }

  /** The broker was given a value. */
  heard(topic: string, name: string, from: number): Candidate {
    const entry = this.#entry(topic);
    const candidate: Candidate = { name, from, to: Number.POSITIVE_INFINITY };
    entry.candidates.push(candidate);
    return candidate;
  }

  /** It acknowledged it. */
  acknowledged(topic: string, candidate: Candidate, moment: number): void {
    const entry = this.#entry(topic);
    candidate.to = Math.min(candidate.to, moment);
    const isReplaced = (other: Candidate): boolean => other.to < candidate.from;
    for (const { name } of entry.candidates.filter(isReplaced)) {
      entry.past.push({ name, until: moment });
    }
    entry.candidates = entry.candidates.filter((other) => !isReplaced(other));
  }

  /** If it has not been taken over by now, it never is. */
  closed(candidate: Candidate, moment: number): void {
    candidate.to = Math.min(candidate.to, moment);
  }

  current(topic: string): string[] {
    return this.#entry(topic).candidates.map(({ name }) => name);
  }

  /** Whether the value may have been this one at or after `moment`. */
  mayHaveBeen(topic: string, name: string, moment: number): boolean {
    const { candidates, past } = this.#entry(topic);
    if (candidates.some((candidate) => candidate.name === name)) return true;
    return past.some((one) => one.name === name && one.until >= moment);
  }

  #entry(topic: string): { candidates: Candidate[]; readonly past: Past[] } {
    const known = this.#topics.get(topic);
    if (known !== undefined) return known;
    const entry = { candidates: [{ name: "", from: 0, to: 0 }], past: [] };
    this.#topics.set(topic, entry);
    return entry;
  }
}

export type RetainedCandidate = Candidate;
