/** `tserve crash-test` on the command line: its options, and out of them the plan of a run. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { durabilities } from "../configuration-schema.ts";

/** What tserve's own options say about the same things stands here too. */
export interface CrashTestArguments {
  readonly data?: string;
  readonly config?: string;
  readonly durability?: string;
  readonly memory?: boolean;
  readonly rounds: number;
  readonly seed?: number;
  readonly command?: string;
  readonly keep?: boolean;
  readonly json?: boolean;
}

const roundsDefault = 20;
const roundsMax = 1_000_000;
const seedMax = 4_294_967_295;

const afterHelp = `
Starts a broker of its own in a new folder inside the data folder, so on the same
disk, and never touches what is there. Publishes, kills it with SIGKILL at random
moments, starts it again, and compares what it acknowledged with what it has.

Exit code: 0 when nothing acknowledged was lost, 1 when something was or the test
could not come to its end, 2 for a mistake in the options.

Examples:
  tserve crash-test                         20 rounds on the disk of ./tstack-data
  tserve crash-test --data /var/lib/tstack  on the disk of that folder
  tserve crash-test --durability memory     see it fail
`;

/** Adds the command to tserve; `run` is called with its options. */
export function addCrashTestCommand(
  program: Command,
  run: (args: CrashTestArguments) => Promise<void>,
): void {
  program
    .command("crash-test")
    .description("kill a broker on this disk again and again, and say what it lost")
    .option("--data <folder>", "test the disk of this folder (tserve's data folder)")
    .addOption(
      new Option("--durability <level>", "what the broker is started with (fsync)").choices(
        durabilities,
      ),
    )
    .addOption(
      readingWhole("--rounds <number>", "kill it so often", roundsMax).default(roundsDefault),
    )
    .addOption(readingWhole("--seed <number>", "begin the random choices as that run did", seedMax))
    .option(
      "--command <line>",
      "test another broker: words between blanks, with {port} and {folder} in them",
    )
    .option("--keep", "leave the folder there, also when nothing was lost")
    .option("--json", "print the results as one line of JSON, and nothing else")
    .addHelpText("after", afterHelp)
    // tserve takes those of its options that stand here for its own.
    .action((_options: object, command: Command) => run(command.optsWithGlobals()));
}

function readingWhole(flags: string, description: string, most: number): Option {
  return new Option(flags, description).argParser((text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= 1 && number <= most) return number;
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${most}`);
  });
}
