#!/usr/bin/env node
/**
 * tbench: puts a load on any MQTT broker, from thousands of clients in one process, and says how fast it
 * was, how long messages took, and whether all of them arrived, once and in order.
 */
import { commandWords, parseBenchArguments } from "./bench/command-line.ts";
import { Load } from "./bench/load.ts";
import type { BenchCommand } from "./bench/plan.ts";
import { openTalk, quietly, reportFailures, UsageError } from "./client/index.ts";
import { type ProgramIo, runAsProcess } from "./program-io.ts";
import { readProgramVersion } from "./program-version.ts";

const name = "tbench";

/** Runs tbench with the arguments after its name, and returns its exit code. */
export function run(args: readonly string[], io: ProgramIo): Promise<number> {
  const [word = "", ...rest] = args;
  if (isCommand(word)) return runCommand(word, rest, io);
  return reportFailures(name, io, async () => {
    if (word === "--version") io.stdout.write(`${readProgramVersion()}\n`);
    else if (word === "--help" || (word === "help" && rest.length === 0)) {
      io.stdout.write(describeCommands());
    } else if (word === "help") return run([...rest, "--help"], io);
    else throw new UsageError(refuse(word));
    return 0;
  });
}

function runCommand(word: BenchCommand, args: readonly string[], io: ProgramIo): Promise<number> {
  const fullName = `${name} ${word}`;
  return reportFailures(fullName, io, async () => {
    const plan = await parseBenchArguments(word, args, io);
    if (plan === undefined) return 0;
    return quietly(openTalk(io.stderr, fullName, plan.connection), () => new Load(plan, io).run());
  });
}

function isCommand(word: string): word is BenchCommand {
  return Object.hasOwn(commandWords, word);
}

function refuse(word: string): string {
  const known = Object.keys(commandWords).join(", ");
  if (word === "" || word.startsWith("-")) return `say first what to measure: ${known}`;
  return `there is no command "${word}"; there are ${known}`;
}

function describeCommands(): string {
  const lines = Object.entries(commandWords).map(
    ([word, { summary }]) => `  tbench ${word.padEnd(10)} ${summary}`,
  );
  return `Usage: tbench COMMAND [OPTION...]

Puts a load on an MQTT broker, and says what it bore. Without options it is the broker on localhost:1883.

${lines.join("\n")}

  tbench COMMAND --help   say what its options are
  tbench --version        say which tStack this is
`;
}

if (import.meta.main) await runAsProcess(run);
