/**
 * Units of systemd: whether each is active, how often it was started again, its memory and its share of a core. One that is not
 * there is not active.
 */
import { UsageError } from "../client/index.ts";
import type { Figure } from "./figure.ts";
import { Rates } from "./rates.ts";
import { runCommand } from "./run-command.ts";
import type { Source } from "./source.ts";
import { TopicLevels } from "./topic-level.ts";

const properties = "ActiveState,NRestarts,MemoryCurrent,CPUUsageNSec";
const secondsMax = 5;
const bytesMax = 1_000_000;
const nanosecondsPerSecond = 1_000_000_000;

/** As systemd writes names of units; without a type it is a service. @throws {UsageError} */
export function readUnitName(text: string): string {
  // One that begins with a dash would be an option of systemctl.
  if (!/^[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,254}$/.test(text)) {
    throw new UsageError(`--unit takes the name of a unit of systemd, not "${text}"`);
  }
  return /\.[a-z]+$/.test(text) ? text : `${text}.service`;
}

export class UnitSource implements Source {
  readonly name = "units of systemd";
  readonly #units: readonly string[];
  readonly #rates: Rates;
  readonly #signal: AbortSignal;

  constructor(units: readonly string[], nowSeconds: () => number, signal: AbortSignal) {
    this.#units = units;
    this.#signal = signal;
    this.#rates = new Rates(nowSeconds);
  }

  /** One call for all: a process costs more than what it asks. */
  async read(): Promise<readonly Figure[]> {
    const words = ["systemctl", "show", `--property=${properties}`, "--", ...this.#units];
    const bounds = { secondsMax, bytesMax, signal: this.#signal };
    const states = (await runCommand(words, bounds)).split(/\n\n+/).map(parseProperties);
    const levels = new TopicLevels();
    const figures: Figure[] = [];
    this.#rates.look();
    for (const [index, unit] of this.#units.entries()) {
      // In the order of the question, also where one unit has two names.
      figures.push(...this.#unitFigures(unit, levels.take(unit), states[index] ?? new Map()));
    }
    return figures;
  }

  #unitFigures(unit: string, level: string, state: ReadonlyMap<string, string>): Figure[] {
    const path = `units/${level}`;
    const isActive = state.get("ActiveState") === "active";
    const figures: Figure[] = [
      { path: `${path}/active`, kind: "running", value: Number(isActive) },
    ];
    // Text where it does not apply, and the largest number where it is not known.
    const restarts = readNumber(state.get("NRestarts"));
    if (restarts !== undefined) {
      figures.push({ path: `${path}/restarts`, kind: "total", value: restarts });
    }
    const memory = readNumber(state.get("MemoryCurrent"));
    if (memory !== undefined)
      figures.push({ path: `${path}/memory`, kind: "bytes", value: memory });
    const cpu = readNumber(state.get("CPUUsageNSec"));
    if (cpu !== undefined) {
      const share = this.#rates.perSecond(unit, cpu / nanosecondsPerSecond);
      if (share !== undefined) {
        figures.push({ path: `${path}/cpu`, kind: "percent", value: 100 * share });
      }
    }
    return figures;
  }
}

function parseProperties(block: string): ReadonlyMap<string, string> {
  const pairs = block.split("\n").map((line): [string, string] => {
    const equals = line.indexOf("=");
    return [line.slice(0, equals), line.slice(equals + 1)];
  });
  return new Map(pairs);
}

function readNumber(text: string | undefined): number | undefined {
  const value = Number(text);
  return text !== undefined && /^\d+$/.test(text) && value < Number.MAX_SAFE_INTEGER
    ? value
    : undefined;
}
