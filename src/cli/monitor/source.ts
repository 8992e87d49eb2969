/** Where figures come from: a part of the machine that is looked at once an interval. */
import type { Figure } from "./figure.ts";

export interface Source {
  /** In words, for what is said when it fails. */
  readonly name: string;
  /** What there is now. Rates are missing the first time: they need two looks. Rejects where it cannot be told. */
  read(): Promise<readonly Figure[]>;
}
