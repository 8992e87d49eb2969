/**
 * tuser, the users of a broker and their rights: through the API of a running broker, or on the folder of one at rest. What
 * goes wrong is one line on stderr and exit code 1 (the world) or 2 (the command line).
 */
import { readVersion } from "../package-version.ts";
import { runCommand } from "./command-program.ts";
import { type ProgramIo, runAsProcess } from "./program-io.ts";
import { newUserCommand } from "./user/command-line.ts";

export function run(args: readonly string[], io: ProgramIo): Promise<number> {
  return runCommand(newUserCommand(readVersion(), io), args, io);
}

if (import.meta.main) await runAsProcess(run);
