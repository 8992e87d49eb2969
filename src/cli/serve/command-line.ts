/** The command line of tserve. Its values are not checked here but with the rest of the configuration. */
import { Command, Option } from "commander";
import type { ProgramIo } from "../program-io.ts";
import type { Override } from "./configuration.ts";
import { logFormats, logLevels } from "./configuration-schema.ts";

export interface ServeArguments {
  readonly listen?: readonly string[];
  readonly config?: string;
  readonly allowAnonymous?: boolean;
  readonly logLevel?: string;
  readonly logFormat?: string;
  readonly checkConfig?: boolean;
}

/** What each command does; resolves with the program's exit code. */
export interface ServeCommands {
  /** What `--version` says. */
  readonly version: string;
  serve(args: ServeArguments): Promise<number>;
  hashPassword(): Promise<number>;
}

const afterHelp = `
Every key of the configuration is also an environment variable
(limits.connectionsMax is TSTACK_LIMITS_CONNECTIONS_MAX); options win over
variables, variables over the file.

Examples:
  tserve                          for this machine only, without users
  tserve --config tserve.yaml     as the file says
  tserve --listen mqtt://0.0.0.0:1883 --listen ws://0.0.0.0:8083/mqtt \\
         --config tserve.yaml     the same, reached from other machines
  tserve hash-password            ask for a password and print its hash
`;

/** Runs the command that `args` name. @throws CommanderError for help, version and mistakes */
export async function runCommandLine(
  args: readonly string[],
  io: ProgramIo,
  commands: ServeCommands,
): Promise<number> {
  let exitCode = 0;
  const program = new Command("tserve")
    .description("The MQTT broker of tStack: MQTT 3.1, 3.1.1 and 5.0.")
    .version(commands.version, "-V, --version", "say which tserve this is")
    .helpOption("-h, --help", "say what the options are")
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      // The line on stderr is written by `run`, with what to do about it.
      writeErr: () => {},
    })
    .allowExcessArguments(false)
    .option("-l, --listen <url>", "listen there; repeatable (mqtt://, ws://, unix://)", gather)
    .option("-c, --config <file>", "read the configuration from this YAML file (TSTACK_CONFIG)")
    .option("--memory", "keep sessions and retained messages in memory only (as it is without it)")
    .option("--allow-anonymous", "accept clients without a user name on every listener")
    .addOption(new Option("--log-level <level>", "the least that is logged").choices(logLevels))
    .addOption(new Option("--log-format <format>", "how it is logged").choices(logFormats))
    .option("--check-config", "check the configuration and end")
    .addHelpText("after", afterHelp)
    .action(async (options: ServeArguments) => {
      exitCode = await commands.serve(options);
    });
  program
    .command("hash-password")
    .description("print the hash of a password, for passwordHash in the configuration")
    .action(async () => {
      exitCode = await commands.hashPassword();
    });
  await program.parseAsync(args, { from: "user" });
  return exitCode;
}

function gather(url: string, before: readonly string[] = []): readonly string[] {
  return [...before, url];
}

const flagKeys = {
  listen: "--listen",
  allowAnonymous: "--allow-anonymous",
  logLevel: "--log-level",
  logFormat: "--log-format",
} as const;

/** Those options that are keys of the configuration, which they overrule. */
export function toOverrides(args: ServeArguments): Override[] {
  return Object.entries(flagKeys).flatMap(([key, name]) => {
    const value = args[key as keyof typeof flagKeys];
    return value === undefined ? [] : [{ name, path: [key], value }];
  });
}
