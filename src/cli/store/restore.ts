/** tstack restore: a backup takes the place of what a stopped broker keeps, which is set aside and not deleted. */
import { closeSync, openSync, rmSync } from "node:fs";
import { openStoreReader, stampOf } from "../../storage/index.ts";
import type { ProgramIo } from "../program-io.ts";
import {
  describeSize,
  holdFolder,
  locateFolder,
  runStoreProgram,
  type StoreArguments,
  storeCommand,
} from "./store-program.ts";

const afterHelp = `
The broker must be stopped. What is in its folder is kept there under another
name, tstack.db.before-restore-TIME, until you delete it.

Example:
  tstack restore --data /var/lib/tstack backup-2026-11-23.db
`;

export function run(args: readonly string[], io: ProgramIo): Promise<number> {
  const command = storeCommand("restore", "Puts a backup into a broker's folder.", afterHelp)
    .argument("<file>", "what tstack backup wrote")
    .action((file: string, options: StoreArguments) => restore(file, options, io));
  return runStoreProgram(command, args, io);
}

async function restore(file: string, options: StoreArguments, io: ProgramIo): Promise<void> {
  const folder = locateFolder(options, io);
  const reader = openStoreReader(file);
  try {
    const held = holdFolder(folder, "tstack restore");
    const part = `${held.file}.part`;
    const discard = () => {
      for (const rest of [part, `${part}-journal`]) rmSync(rest, { force: true });
    };
    const offInterrupt = io.onInterrupt(discard);
    try {
      discard(); // of a run that was killed
      closeSync(openSync(part, "wx", 0o600));
      await reader.copyTo(part);
      const aside = held.setAside(`before-restore-${stampOf(new Date())}`);
      held.adopt(part);
      io.stdout.write(`${folder}: ${describeSize(reader.measure())}\n`);
      if (aside !== undefined) io.stdout.write(`what was there before is in ${aside}\n`);
    } finally {
      offInterrupt();
      discard();
      held.release();
    }
  } finally {
    reader.close();
  }
}
