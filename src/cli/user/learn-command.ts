/** `tuser learn`: what `tserve --learn` has seen, as the least rules that allow it, by user. Asks no broker. */
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import {
  type LeastRules,
  leastRules,
  type Observation,
  parseObservation,
} from "../../auth/index.ts";
import { toVisible } from "../../base/index.ts";
import { describeSystemError, ProgramFailure } from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { printJson, say } from "./admin-command.ts";
import { formatRule } from "./rule-words.ts";

interface LearnArguments {
  readonly exact?: boolean;
  readonly json?: boolean;
}

export function addLearnCommand(program: Command, io: ProgramIo): void {
  program
    .command("learn")
    .description("print the least rules that allow what each user did, as seen by tserve --learn")
    .argument("<file>", "what tserve --learn wrote")
    .option("--exact", "with the QoS and RETAIN that were used; without, any")
    .option("--json", "as JSON")
    .action(async (file: string, { exact, json }: LearnArguments) => {
      const learned = leastRules(await readObservations(file, io), { exact });
      if (json)
        printJson(
          io,
          [...learned].map(([user, found]) => ({ user, ...found })),
        );
      else for (const [user, found] of learned) io.stdout.write(formatLearned(user, found));
    });
}

async function readObservations(file: string, io: ProgramIo): Promise<readonly Observation[]> {
  let lines: readonly string[];
  try {
    lines = (await readFile(file, "utf8")).split("\n");
  } catch (error) {
    const message = `${file}: ${describeSystemError(error as Error)}`;
    throw new ProgramFailure(message, { cause: error });
  }
  const observations: Observation[] = [];
  for (const [index, line] of lines.entries()) {
    if (line === "") continue;
    const observation = parseObservation(line);
    if (observation !== undefined) observations.push(observation);
    else say(io, `${file}:${index + 1} is not what tserve --learn writes: left out`);
  }
  if (observations.length > 0) return observations;
  throw new ProgramFailure(`${file} holds nothing that tserve --learn has seen`);
}

function formatLearned(user: string | undefined, found: LeastRules): string {
  const { rules, refused, inexpressible } = found;
  const name = user === undefined ? "(anonymous)" : toVisible(user);
  const lines = [
    ...rules.map(formatRule),
    ...refused.map((seen) => `refused then, and not here: ${describe(seen)}`),
    ...inexpressible.map((seen) => `no rule can say this: ${describe(seen)}`),
  ];
  const all = lines.length === 0 ? ["nothing"] : lines;
  return `${name}\n${all.map((line) => `  ${line}\n`).join("")}`;
}

function describe({ action, topic }: Observation): string {
  return `${action} ${toVisible(topic)}`;
}
