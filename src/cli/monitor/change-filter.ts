/**
 * Holds back figures that are nearly what they were when last published (`--change`), but none for longer than a time. It
 * remembers the figures of the last look only, so it never grows beyond them.
 */
import { type Figure, figureKinds, roundFigure } from "./figure.ts";

export interface ChangeOptions {
  /** Of the last value: 0.05 is 5 %. */
  readonly share: number;
  readonly secondsMax: number;
}

interface Published {
  readonly value: number;
  readonly seconds: number;
}

export class ChangeFilter {
  readonly #options: ChangeOptions;
  #published = new Map<string, Published>();

  constructor(options: ChangeOptions) {
    this.#options = options;
  }

  /** Those that are to be published now. */
  pick(figures: readonly Figure[], nowSeconds: number): Figure[] {
    const published = new Map<string, Published>();
    const picked: Figure[] = [];
    for (const figure of figures) {
      const before = this.#published.get(figure.path);
      if (before === undefined || this.#isDue(figure, before, nowSeconds)) {
        picked.push(figure);
        published.set(figure.path, { value: roundFigure(figure), seconds: nowSeconds });
      } else {
        published.set(figure.path, before);
      }
    }
    this.#published = published;
    return picked;
  }

  /** All are new again: somebody is there who has not seen them. */
  forget(): void {
    this.#published.clear();
  }

  #isDue(figure: Figure, before: Published, nowSeconds: number): boolean {
    const { share, secondsMax } = this.#options;
    if (nowSeconds - before.seconds >= secondsMax) return true;
    const change = Math.abs(roundFigure(figure) - before.value);
    const least = share * Math.max(Math.abs(before.value), figureKinds[figure.kind].changeFloor);
    return change > 0 && change >= least;
  }
}
