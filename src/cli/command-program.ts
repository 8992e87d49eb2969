/**
 * The frame of programs that are made of commands: what goes wrong is one line on stderr, with exit code 2 for the command
 * line and 1 for the world, unless the failure brings a code of its own.
 */
import { Command, CommanderError } from "commander";
import { TstackError } from "../base/index.ts";
import { describeSystemError, ProgramFailure, UsageError } from "./client/index.ts";
import type { ProgramIo } from "./program-io.ts";

const exitCodeMisuse = 2;

/** Subcommands that are added to it take its ways over. */
export function newCommand(name: string, description: string, io: ProgramIo): Command {
  return new Command(name)
    .description(description)
    .helpOption("-h, --help", "say what the options are")
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: () => {} })
    .allowExcessArguments(false);
}

/** Runs `command`, whose actions are set; resolves with the exit code. */
export async function runCommand(
  command: Command,
  args: readonly string[],
  io: ProgramIo,
): Promise<number> {
  try {
    await command.parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0; // help, which is written
    const name = command.name();
    io.stderr.write(`${name}: ${describe(error, name)}\n`);
    return error instanceof CommanderError || error instanceof UsageError
      ? exitCodeMisuse
      : exitCodeOf(error);
  }
}

function exitCodeOf(error: unknown): number {
  return error instanceof ProgramFailure ? error.exitCode : 1;
}

function describe(error: unknown, name: string): string {
  if (error instanceof CommanderError) {
    if (error.code === "commander.help") return `say what to do; ${name} --help lists the commands`;
    const message = error.message.replace(/^error: /, "").replace(/\s*\n\s*/g, " ");
    return `${message}; ${name} --help lists the options`;
  }
  if (error instanceof ProgramFailure || error instanceof TstackError) return error.message;
  if (error instanceof Error && "syscall" in error) {
    const place = "path" in error ? `${String(error.path)}: ` : "";
    return `${place}${describeSystemError(error)}`;
  }
  throw error; // a bug
}
