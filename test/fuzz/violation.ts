/** What the broker did and must not do. The first one of a round counts: what follows may follow from it. */

export interface Violation {
  /** The same for the same fault, whatever the numbers: a smaller round that fails must fail with this. */
  readonly kind: string;
  readonly detail: string;
}

export class Violations {
  first: Violation | undefined;

  report(kind: string, detail = ""): void {
    this.first ??= { kind, detail };
  }

  /** Runs what must not throw, whatever a peer has sent. */
  guard(what: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.report(`${what} threw`, describeError(error));
    }
  }
}

export function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
