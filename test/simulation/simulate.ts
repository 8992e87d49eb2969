/**
 * `npm run simulate`: worlds in which everything goes wrong. `--seeds N` of them (2,000), `--from N` on (anywhere),
 * `--forever`; `--seed N` for one alone, and with `--verbose` all that happens in it.
 */
import { parseArgs } from "node:util";
import { runSeed } from "./run-seed.ts";
import { describeFailure, describeProgress, simulate, type Verdict } from "./supervisor.ts";

const seedsByDefault = 2000;
const seedsMax = 2 ** 31;
const threads = 2;
const hangSeconds = 60;
const linesShown = 80;
const secondsBetweenProgress = 5;

function readNumber(name: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new Error(`--${name} takes a whole number, not ${text}`);
}

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    from: { type: "string" },
    forever: { type: "boolean", default: false },
    seed: { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});

async function showOne(seed: number): Promise<Verdict> {
  const started = performance.now();
  const { fault, lines, events, crashes } = await runSeed(seed);
  const shown = lines.slice(values.verbose ? 0 : -linesShown);
  const seconds = (performance.now() - started) / 1000;
  if (fault === undefined && values.verbose) console.log(shown.join("\n"));
  const failure = fault === undefined ? undefined : { seed, fault, lines: shown };
  return { seeds: 1, events, crashes, seconds, failure };
}

async function showMany(): Promise<Verdict> {
  const from = readNumber("from", values.from, Math.floor(Math.random() * seedsMax));
  const count = readNumber("seeds", values.seeds, seedsByDefault);
  const seeds = values.forever ? Number.POSITIVE_INFINITY : count;
  console.log(`from seed ${from}`);
  let toldAt = 0;
  return await simulate({ from, seeds, threads, hangSeconds }, (verdict) => {
    if (verdict.seconds - toldAt < secondsBetweenProgress) return;
    toldAt = verdict.seconds;
    console.log(describeProgress(verdict));
  });
}

const verdict =
  values.seed === undefined ? await showMany() : await showOne(readNumber("seed", values.seed, 0));
console.log(describeProgress(verdict));
if (verdict.failure !== undefined) {
  console.log(`\n${describeFailure(verdict)}`);
  process.exitCode = 1;
}
