/**
 * All figures of a machine at a time. A source that fails, or does not answer in time, is told of once until it is well again,
 * and the others go on without it.
 */
import { describeSystemError } from "../client/index.ts";
import type { Figure } from "./figure.ts";
import type { Source } from "./source.ts";

const answerMillisecondsMax = 5000;

export class Machine {
  readonly #sources: readonly Source[];
  readonly #say: (line: string) => void;
  readonly #failures = new Map<Source, string>();
  /** Has been asked and has not answered: it is not asked twice at a time. */
  readonly #silent = new Set<Source>();

  constructor(sources: readonly Source[], say: (line: string) => void) {
    this.#sources = sources;
    this.#say = say;
  }

  async look(): Promise<readonly Figure[]> {
    const answers = await Promise.all(this.#sources.map((source) => this.#ask(source)));
    return answers.flat();
  }

  async #ask(source: Source): Promise<readonly Figure[]> {
    if (this.#silent.has(source)) return [];
    this.#silent.add(source);
    const late = Promise.withResolvers<never>();
    const reading = source.read().finally(() => this.#silent.delete(source));
    const timer = setTimeout(() => late.reject(new Error("no answer")), answerMillisecondsMax);
    try {
      const figures = await Promise.race([reading, late.promise]);
      this.#failures.delete(source);
      return figures.filter(({ value }) => Number.isFinite(value));
    } catch (error) {
      this.#tell(source, describeSystemError(error as Error));
      return [];
    } finally {
      clearTimeout(timer);
    }
  }

  #tell(source: Source, reason: string): void {
    if (this.#failures.get(source) === reason) return;
    this.#failures.set(source, reason);
    this.#say(`${source.name}: ${reason}`);
  }
}
