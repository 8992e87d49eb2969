/** tstack backup: one file with everything that a broker keeps, as of one moment, while the broker runs or not. */
import { statSync } from "node:fs";
import type { ProgramIo } from "../program-io.ts";
import { writePartFile } from "./part-file.ts";
import {
  describeSize,
  openFolder,
  runStoreProgram,
  type StoreArguments,
  storeCommand,
} from "./store-program.ts";

interface BackupArguments extends StoreArguments {
  readonly force?: boolean;
}

const afterHelp = `
The broker may run meanwhile, and is not held up. FILE holds sessions,
subscriptions, queues, retained messages, wills and users; "tstack restore
FILE" puts them back. It can be opened with sqlite3.

Example:
  tstack backup --data /var/lib/tstack backup-$(date +%F).db
`;

export function run(args: readonly string[], io: ProgramIo): Promise<number> {
  const command = storeCommand("backup", "Copies all that a broker keeps into one file.", afterHelp)
    .argument("<file>", "where to")
    .option("--force", "replace FILE if it is there")
    .action((file: string, options: BackupArguments) => backUp(file, options, io));
  return runStoreProgram(command, args, io);
}

async function backUp(file: string, options: BackupArguments, io: ProgramIo): Promise<void> {
  const reader = openFolder(options, io);
  try {
    await writePartFile({ file, source: reader.file, force: options.force, io }, (part) =>
      reader.copyTo(part),
    );
    const megabytes = (statSync(file).size / 1e6).toFixed(1);
    io.stdout.write(`${file}: ${describeSize(reader.measure())} (${megabytes} MB)\n`);
  } finally {
    reader.close();
  }
}
