/** The command line of tserve. Its values are not checked here but with the rest of the configuration. */
import { Command, Option } from "commander";
import type { ProgramIo } from "../program-io.ts";
import { durabilities, logFormats, logLevels } from "./configuration-schema.ts";
import type { Override } from "./configuration-values.ts";
import { addCrashTestCommand, type CrashTestArguments } from "./crash-test/command.ts";

export interface ServeArguments {
  readonly listen?: readonly string[];
  readonly config?: string;
  readonly data?: string;
  readonly durability?: string;
  /** The short form of `--durability memory`. */
  readonly memory?: boolean;
  readonly allowAnonymous?: boolean;
  readonly logLevel?: string;
  readonly logFormat?: string;
  readonly checkConfig?: boolean;
  /** The three for the simple case of TLS: they are `tls.cert`, `tls.key` and `tls.ca`. */
  readonly cert?: string;
  readonly key?: string;
  readonly cafile?: string;
  readonly learn?: string;
}

/** What each command does; resolves with the program's exit code. */
export interface ServeCommands {
  /** What `--version` says. */
  readonly version: string;
  serve(args: ServeArguments): Promise<number>;
  hashPassword(): Promise<number>;
  crashTest(args: CrashTestArguments): Promise<number>;
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
  tserve --listen mqtts://0.0.0.0:8883 --cert server.crt --key server.key \\
         --config tserve.yaml     the same, encrypted
  tserve --data /var/lib/tstack   keep sessions, queues and messages there
  tserve --memory                 keep nothing: for a try, and for tests
  tserve hash-password            ask for a password and print its hash
  tserve crash-test               see what is lost when it is killed, on this disk
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
    .option("-l, --listen <url>", "listen there; repeatable (mqtt, mqtts, ws, wss, unix)", gather)
    .option("-c, --config <file>", "read the configuration from this YAML file (TSTACK_CONFIG)")
    .option("--cert <file>", "the certificate of mqtts:// and wss:// (tls.cert)")
    .option("--key <file>", "its private key (tls.key)")
    .option("--cafile <file>", "clients must show a certificate of these CAs (tls.ca)")
    .option("--data <folder>", "keep sessions, queues and messages there (./tstack-data)")
    .addOption(
      new Option("--durability <level>", "what an acknowledged message survives").choices(
        durabilities,
      ),
    )
    .addOption(new Option("--memory", "short for --durability memory").conflicts("durability"))
    .option("--allow-anonymous", "accept clients without a user name (allowAnonymous)")
    .addOption(new Option("--log-level <level>", "the least that is logged").choices(logLevels))
    .addOption(new Option("--log-format <format>", "how it is logged").choices(logFormats))
    .option("--learn <file>", "note there what clients do, for `tuser learn`; rights stay in force")
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
  addCrashTestCommand(program, async (options) => {
    exitCode = await commands.crashTest(options);
  });
  await program.parseAsync(args, { from: "user" });
  return exitCode;
}

function gather(url: string, before: readonly string[] = []): readonly string[] {
  return [...before, url];
}

const flagKeys = {
  listen: ["listen"],
  cert: ["tls", "cert"],
  key: ["tls", "key"],
  cafile: ["tls", "ca"],
  data: ["data"],
  durability: ["durability"],
  allowAnonymous: ["allowAnonymous"],
  logLevel: ["logLevel"],
  logFormat: ["logFormat"],
} as const;

/** Those options that are keys of the configuration, which they overrule. */
export function toOverrides(args: ServeArguments): Override[] {
  const overrides = Object.entries(flagKeys).flatMap(([flag, path]): Override[] => {
    const value = args[flag as keyof typeof flagKeys];
    const name = `--${flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return value === undefined ? [] : [{ name, path, value }];
  });
  if (args.memory) overrides.push({ name: "--memory", path: ["durability"], value: "memory" });
  return overrides;
}
