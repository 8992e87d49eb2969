/**
 * tserve, the broker: from the command line to the exit code. What goes wrong before it serves is one line on stderr
 * and exit code 1 (the world) or 2 (an option or the configuration).
 */
import { CommanderError } from "commander";
import { TstackError } from "../base/index.ts";
import { readVersion } from "../package-version.ts";
import { type ProgramIo, runAsProcess } from "./program-io.ts";
import { runCommandLine, type ServeArguments, toOverrides } from "./serve/command-line.ts";
import { type Configuration, loadConfiguration } from "./serve/configuration.ts";
import { checkFiles } from "./serve/configuration-files.ts";
import { ConfigurationError } from "./serve/configuration-mistake.ts";
import { printPasswordHash } from "./serve/hash-password.ts";
import { serve } from "./serve/serve.ts";

const exitCodeWorld = 1;
const exitCodeMisuse = 2;

/** Mistakes shown at once; the rest is counted. */
const linesMax = 20;

/** Resolves with the exit code: 0 after a signal, `--help` and the like. `args` are those behind the name. */
export async function run(args: readonly string[], io: ProgramIo): Promise<number> {
  try {
    return await runCommandLine(args, io, {
      version: readVersion(),
      serve: (options) => serveOrCheck(options, io),
      hashPassword: () => printPasswordHash(io),
      async crashTest(options) {
        const { runCrashTest } = await import("./serve/crash-test/index.ts"); // with an MQTT client
        return await runCrashTest(options, configure(options, io).data, io);
      },
    });
  } catch (error) {
    return report(error, io);
  }
}

function configure(args: ServeArguments, { environment }: ProgramIo): Configuration {
  const file = args.config ?? (environment.TSTACK_CONFIG || undefined);
  return loadConfiguration({ file, environment, flags: toOverrides(args) });
}

async function serveOrCheck(args: ServeArguments, io: ProgramIo): Promise<number> {
  const configuration = configure(args, io);
  if (!args.checkConfig) {
    return serve({ configuration, version: readVersion(), learnFile: args.learn }, io);
  }
  await checkFiles(configuration);
  for (const warning of configuration.warnings) io.stderr.write(`tserve: warning: ${warning}\n`);
  const { listeners, users } = configuration;
  const count = `${users.length} ${users.length === 1 ? "user" : "users"}`;
  const urls = listeners.map(({ url }) => url);
  io.stdout.write(`no mistakes: ${count}, listens on ${urls.join(", ")}\n`);
  return 0;
}

function report(error: unknown, io: ProgramIo): number {
  if (error instanceof ConfigurationError) {
    const more = error.lines.length - linesMax;
    const rest = more > 0 ? [`and ${more} more`] : [];
    for (const line of [...error.lines.slice(0, linesMax), ...rest]) {
      io.stderr.write(`tserve: ${line}\n`);
    }
    return exitCodeMisuse;
  }
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0; // help or version, which are written already
    const message = error.message.replace(/^error: /, "").replace(/\s*\n\s*/g, " ");
    io.stderr.write(`tserve: ${message}; tserve --help lists the options\n`);
    return exitCodeMisuse;
  }
  if (error instanceof TstackError) {
    io.stderr.write(`tserve: ${error.message}\n`);
    return error.code === "CONFIGURATION_INVALID" ? exitCodeMisuse : exitCodeWorld;
  }
  throw error;
}

if (import.meta.main) await runAsProcess(run);
