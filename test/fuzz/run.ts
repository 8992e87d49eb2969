/**
 * A run: rounds one after the other until enough mutated packets were sent. Rounds of one generation share what they
 * found; the next begins with the valid sessions alone, so that any round can be reached again from its generation's first.
 */
import { getHeapStatistics } from "node:v8";
import { collectGarbage, type Thoroughness } from "./aftermath.ts";
import { Chance } from "./chance.ts";
import { Corpus } from "./corpus.ts";
import { Coverage, newTotals, type Totals } from "./coverage.ts";
import { type Heartbeat, type RoundResult, runRound, shrink } from "./round.ts";
import type { Sabotage } from "./settings.ts";

export interface RunOptions {
  readonly seed: number;
  /** Mutated packets; Infinity for ever. */
  readonly packets: number;
  /** No round begins after it. */
  readonly secondsMax: number;
  /** Only this round is looked at; those of its generation before it lead there. */
  readonly onlyRound: number | undefined;
  /** With `onlyRound`: it is broken off before this action, to see what led there. */
  readonly stopBefore: number | undefined;
  readonly sabotage: Sabotage;
}

export interface RunResult {
  readonly totals: Totals;
  readonly heapBytes: readonly number[];
  readonly failure: { readonly round: number; readonly result: RoundResult } | undefined;
}

export const roundsPerGeneration = 100;
const roundsPerReferences = 10;
const shrinkSecondsMax = 20;

export async function runRounds(
  options: RunOptions,
  beat: (round: number, action: number) => void,
  progress: (totals: Totals) => void,
): Promise<RunResult> {
  const { seed, onlyRound } = options;
  const totals = newTotals();
  const coverage = new Coverage(totals);
  const heap = new HeapWatch();
  let corpus = corpusFor(seed, 0);
  const first = onlyRound === undefined ? 0 : onlyRound - (onlyRound % roundsPerGeneration);
  const until = performance.now() + options.secondsMax * 1000;
  for (let round = first; totals.mutated < options.packets; round++) {
    if (performance.now() > until) break;
    if (round % roundsPerGeneration === 0) {
      corpus = corpusFor(seed, round);
      coverage.beginGeneration();
    }
    const heartbeat: Heartbeat = (action) => beat(round, action);
    const thoroughness = thoroughnessOf(round, onlyRound);
    const isStopped = round === onlyRound && options.stopBefore !== undefined;
    const stopBefore = isStopped ? (options.stopBefore ?? 0) : Number.POSITIVE_INFINITY;
    const { sabotage } = options;
    const given = { seed, round, corpus, coverage, thoroughness, sabotage, heartbeat, stopBefore };
    let result = await runRound(given);
    if (result.violation?.kind === "stopped")
      return { totals, heapBytes: [], failure: { round, result } };
    if (result.violation === undefined && round % roundsPerGeneration === roundsPerGeneration - 1) {
      const violation = heap.check();
      result = { ...result, violation };
      if (violation !== undefined)
        return { totals, heapBytes: heap.measured, failure: { round, result } };
    }
    if (result.violation !== undefined) {
      const smaller = await shrink({ seed, round }, result, {
        secondsMax: shrinkSecondsMax,
        thoroughness: isOfObjects(result) ? thoroughness : "references",
        heartbeat,
      });
      return { totals, heapBytes: heap.measured, failure: { round, result: smaller } };
    }
    progress(totals);
    if (round === onlyRound) break;
  }
  return { totals, heapBytes: heap.measured, failure: undefined };
}

/** Counting objects takes long, so it is done again only for what it found. */
function isOfObjects({ violation }: RoundResult): boolean {
  return violation?.kind.includes(" in memory ") === true;
}

/** One that chance of a round never is: `round.ts` counts its streams from 0 on. */
function corpusFor(seed: number, round: number): Corpus {
  return new Corpus(new Chance(seed, -1 - round));
}

function thoroughnessOf(round: number, onlyRound: number | undefined): Thoroughness {
  const isLast = round % roundsPerGeneration === roundsPerGeneration - 1;
  if (round === onlyRound || isLast) return "objects";
  return round % roundsPerReferences === 0 ? "references" : "counters";
}

/** Memory after each generation: it may not grow once everything is warm. */
class HeapWatch {
  static readonly #warmUp = 3;
  static readonly #spread = 3;
  static readonly #growthMax = 8_000_000;
  readonly measured: number[] = [];

  check(): RoundResult["violation"] {
    collectGarbage();
    const { used_heap_size, external_memory } = getHeapStatistics();
    this.measured.push(used_heap_size + external_memory);
    const warm = this.measured.slice(HeapWatch.#warmUp);
    if (warm.length < 2 * HeapWatch.#spread) return undefined;
    const before = Math.min(...warm.slice(0, HeapWatch.#spread));
    const now = Math.min(...warm.slice(-HeapWatch.#spread));
    if (now - before <= HeapWatch.#growthMax) return undefined;
    return { kind: "memory grows from generation to generation", detail: this.measured.join(" ") };
  }
}
