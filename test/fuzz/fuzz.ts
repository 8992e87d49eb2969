/**
 * `npm run fuzz`: mutated sessions against the whole broker. `--packets N` mutated packets (1,000,000), `--forever`,
 * `--seed N` for the same run again, `--round N` with it for one round alone.
 */
import { parseArgs } from "node:util";
import { describeFailure, describeProgress, describeTotals } from "./report.ts";
import { fuzz } from "./supervisor.ts";

const hangSeconds = 20;
const seedsMax = 2 ** 31;

function readNumber(name: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new Error(`--${name} takes a whole number, not ${text}`);
}

const { values } = parseArgs({
  options: {
    packets: { type: "string" },
    seed: { type: "string" },
    round: { type: "string" },
    forever: { type: "boolean", default: false },
  },
});
if (values.round !== undefined && values.seed === undefined) {
  throw new Error("--round is one of a run: give its --seed too");
}
const seed = readNumber("seed", values.seed, Math.floor(Math.random() * seedsMax));
const isBounded = !values.forever && values.round === undefined;
console.log(`seed ${seed}`);
const verdict = await fuzz(
  {
    seed,
    packets: isBounded
      ? readNumber("packets", values.packets, 1_000_000)
      : Number.POSITIVE_INFINITY,
    secondsMax: Number.POSITIVE_INFINITY,
    onlyRound: values.round === undefined ? undefined : readNumber("round", values.round, 0),
    stopBefore: undefined,
    sabotage: "none",
  },
  { hangSeconds, onProgress: (totals, seconds) => console.log(describeProgress(totals, seconds)) },
);
const { totals, heapBytes, failure, seconds } = verdict;
if (totals !== undefined) {
  console.log(`\n${describeProgress(totals, seconds)}\n${describeTotals(totals, heapBytes)}`);
}
if (failure === undefined) console.log(`\nnothing found with seed ${seed}`);
else {
  console.log(`\n${describeFailure(seed, verdict)}`);
  process.exitCode = 1;
}
