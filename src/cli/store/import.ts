/**
 * tstack import: what an export wrote becomes what a stopped broker keeps. It is built in a folder of its own beside the
 * place where it belongs, so that a file with a mistake in its last line leaves nothing behind.
 */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { silentLog } from "../../base/index.ts";
import {
  type HeldFolder,
  openSqliteStorage,
  openStoreReader,
  settleStore,
  storeFileOf,
} from "../../storage/index.ts";
import { ProgramFailure } from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { ImportReader, RecordError } from "./import-changes.ts";
import {
  describeSize,
  holdFolder,
  locateFolder,
  runStoreProgram,
  type StoreArguments,
  storeCommand,
} from "./store-program.ts";
import { readTextLines } from "./text-lines.ts";

const afterHelp = `
The broker must be stopped, and must not have kept anything in its folder yet.

Example:
  tstack import --data ./new-folder all.jsonl && tserve --data ./new-folder
`;

export function run(args: readonly string[], io: ProgramIo): Promise<number> {
  const command = storeCommand("import", "Reads an export into a broker's folder.", afterHelp)
    .argument("<file>", "what tstack export wrote")
    .action((file: string, options: StoreArguments) => importAll(file, options, io));
  return runStoreProgram(command, args, io);
}

async function importAll(file: string, options: StoreArguments, io: ProgramIo): Promise<void> {
  const folder = locateFolder(options, io);
  if (!existsSync(file)) throw new ProgramFailure(`${file}: no such file`);
  const held = holdFolder(folder, "tstack import");
  const buildFolder = join(folder, "import.part");
  const discard = () => rmSync(buildFolder, { recursive: true, force: true });
  const offInterrupt = io.onInterrupt(discard);
  try {
    refuseUsed(held, folder);
    discard(); // of a run that was killed
    mkdirSync(buildFolder);
    await build(file, buildFolder);
    const built = storeFileOf(buildFolder);
    settleStore(built);
    held.adopt(built);
    const reader = openStoreReader(held.file);
    io.stdout.write(`${folder}: ${describeSize(reader.measure())}\n`);
    reader.close();
  } finally {
    offInterrupt();
    discard();
    held.release();
  }
}

function refuseUsed({ isUsed, file }: HeldFolder, folder: string): void {
  if (!isUsed) return;
  throw new ProgramFailure(
    `${folder} holds what a broker keeps: import into another folder, or move ${file} away first`,
  );
}

async function build(file: string, folder: string): Promise<void> {
  // Not synced batch by batch: all of it is when it is whole.
  const storage = await openSqliteStorage({
    folder,
    durability: "os",
    log: silentLog,
    holder: "tstack import",
  });
  try {
    await storage.restore();
    const reader = new ImportReader();
    for await (const lines of readTextLines(file)) {
      for (const line of lines) {
        const batch = reader.take(line);
        if (batch !== undefined) await storage.commit(batch);
      }
    }
    await storage.commit(reader.end());
    await storage.writeRecords(reader.records);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    throw new ProgramFailure(`${file}:${error.line} ${error.message}`, { cause: error });
  } finally {
    await storage.close();
  }
}
