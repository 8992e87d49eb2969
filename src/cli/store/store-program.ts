/**
 * The frame of the programs that work on a broker's folder: the command line, the folder, and what goes wrong as one line
 * on stderr with exit code 1 (the world) or 2 (the command line).
 */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { Command, CommanderError } from "commander";
import { TstackError } from "../../base/index.ts";
import {
  HeldFolder,
  openStoreReader,
  type StoreReader,
  type StoreSize,
  storeFileOf,
} from "../../storage/index.ts";
import { ProgramFailure } from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { describeCause } from "./cause.ts";

const exitCodeMisuse = 2;
const exitCodeInterrupted = 130;

export interface StoreArguments {
  readonly data?: string;
}

/** `summary` begins its help, `afterHelp` ends it. Its options are `--data` and what the program adds. */
export function storeCommand(name: string, summary: string, afterHelp: string): Command {
  return new Command(`tstack ${name}`)
    .description(summary)
    .helpOption("-h, --help", "say what the options are")
    .helpCommand(false)
    .exitOverride()
    .allowExcessArguments(false)
    .option("--data <folder>", "the folder of the broker (TSTACK_DATA, ./tstack-data)")
    .addHelpText("after", afterHelp);
}

/** Runs `command`, whose action is set; resolves with the exit code. */
export async function runStoreProgram(
  command: Command,
  args: readonly string[],
  io: ProgramIo,
): Promise<number> {
  command.configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: () => {} });
  const interrupted = Promise.withResolvers<number>();
  const offInterrupt = io.onInterrupt(() => interrupted.resolve(exitCodeInterrupted));
  try {
    const done = command.parseAsync(args, { from: "user" }).then(() => 0);
    return await Promise.race([done, interrupted.promise]);
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0; // help, which is written
    io.stderr.write(`${command.name()}: ${describe(error, command.name())}\n`);
    return error instanceof CommanderError ? exitCodeMisuse : 1;
  } finally {
    offInterrupt();
  }
}

function describe(error: unknown, name: string): string {
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, "").replace(/\s*\n\s*/g, " ");
    return `${message}; ${name} --help lists the options`;
  }
  if (error instanceof ProgramFailure || error instanceof TstackError) return error.message;
  const cause = describeCause(error);
  if (cause === undefined) throw error; // a bug
  return cause;
}

/** The broker's folder, as an absolute path. */
export function locateFolder({ data }: StoreArguments, io: ProgramIo): string {
  return resolve(data ?? (io.environment.TSTACK_DATA || "./tstack-data"));
}

/** What is in the broker's folder, whether it runs or not. @throws ProgramFailure where nothing is */
export function openFolder(options: StoreArguments, io: ProgramIo): StoreReader {
  const folder = locateFolder(options, io);
  const file = storeFileOf(folder);
  if (isThere(file)) return openStoreReader(file);
  throw new ProgramFailure(
    `no broker has kept anything in ${folder}: name its folder with --data (tserve says it when it starts)`,
  );
}

function isThere(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true; // but not for this user, which is said when it is opened
  }
}

/** Keeps brokers out of the folder until it is released. */
export function holdFolder(folder: string, program: string): HeldFolder {
  return HeldFolder.take(folder, `${program}, process ${process.pid},`);
}

/** `3 sessions, 5 subscriptions, 120 queued messages, 20 retained messages`, and `7 records of users and keys` if any. */
export function describeSize(size: StoreSize): string {
  return [
    count(size.sessions, "session"),
    count(size.subscriptions, "subscription"),
    count(size.queued, "queued message"),
    count(size.retained, "retained message"),
    ...(size.records === 0 ? [] : [`${count(size.records, "record")} of users and keys`]),
  ].join(", ");
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? "" : "s"}`;
}
