/** tstack export: everything that a broker keeps, or that a backup holds, as lines of JSON for people and programs. */
import { createWriteStream } from "node:fs";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { openStoreReader, type StoreReader } from "../../storage/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { readProgramVersion } from "../program-version.ts";
import { writeRecords } from "./export-records.ts";
import { writePartFile } from "./part-file.ts";
import {
  describeSize,
  openFolder,
  runStoreProgram,
  type StoreArguments,
  storeCommand,
} from "./store-program.ts";

interface ExportArguments extends StoreArguments {
  readonly from?: string;
  readonly force?: boolean;
}

/** Gathered before they are written. */
const chunkLength = 65_536;

const afterHelp = `
One record on each line, with its kind: session, subscription, received,
shared, retained, message, queued, record. Text is text, other bytes are
{"base64": "..."}. The broker may run meanwhile. "tstack import" reads it.

Examples:
  tstack export | jq -r 'select(.kind == "retained") | .topic'
  tstack export --from backup.db all.jsonl
`;

export function run(args: readonly string[], io: ProgramIo): Promise<number> {
  const command = storeCommand("export", "Writes all that a broker keeps as JSON lines.", afterHelp)
    .argument("[file]", "where to; without it to stdout")
    .option("--from <backup>", "export what is in this backup instead")
    .option("--force", "replace FILE if it is there")
    .action((file: string | undefined, options: ExportArguments) => exportAll(file, options, io));
  return runStoreProgram(command, args, io);
}

async function exportAll(
  file: string | undefined,
  options: ExportArguments,
  io: ProgramIo,
): Promise<void> {
  const { from, force } = options;
  const reader = from === undefined ? openFolder(options, io) : openStoreReader(from);
  try {
    const lines = Readable.from(gatherLines(reader), { objectMode: false });
    if (file === undefined) return await print(lines, io.stdout);
    await writePartFile({ file, source: reader.file, force, io }, (part) =>
      pipeline(lines, createWriteStream(part)),
    );
    io.stdout.write(`${file}: ${describeSize(reader.measure())}\n`);
  } finally {
    reader.close();
  }
}

async function print(lines: Readable, stdout: Writable): Promise<void> {
  try {
    await pipeline(lines, stdout, { end: false });
  } catch (error) {
    // A reader that went away (`| head -1`) has what it wanted.
    if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) throw error;
  }
}

function* gatherLines(reader: StoreReader): Generator<string> {
  const origin = { version: readProgramVersion(), now: Date.now() };
  let chunk = "";
  for (const record of writeRecords(reader.readContent(), origin)) {
    chunk += `${JSON.stringify(record)}\n`;
    if (chunk.length < chunkLength) continue;
    yield chunk;
    chunk = "";
  }
  yield chunk;
}
