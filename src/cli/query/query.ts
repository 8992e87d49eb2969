/**
 * tconsume query: answers quick questions from the file of the SQLite sink, while a consumer writes to it or not. Data
 * goes to stdout, talk to stderr; nothing found is exit code 1, as with grep.
 */
import { ReadingsFile } from "../../sinks/sqlite/index.ts";
import { ProgramFailure } from "../client/index.ts";
import { runCommand } from "../command-program.ts";
import type { ProgramIo } from "../program-io.ts";
import { screenOf } from "./columns.ts";
import { exportReadings } from "./export.ts";
import { type QueryOptions, queryCommand } from "./options.ts";
import { plotReadings } from "./plot.ts";
import { Selection } from "./selection.ts";
import { lastTable, listTable, readingTable, type SeriesSummary } from "./tables.ts";

const name = "tconsume query";
const tableReadings = 100;

/** With the arguments after `query`; answers the exit code. */
export function runQuery(args: readonly string[], io: ProgramIo): Promise<number> {
  const command = queryCommand(io, Date.now(), (options) => query(options, io));
  return runCommand(command, args, io);
}

async function query(options: QueryOptions, io: ProgramIo): Promise<void> {
  const file = ReadingsFile.open(options.file);
  try {
    const selection = new Selection(file, options);
    if (selection.series.length === 0) throw nothingMatches(options);
    const count = await answer({ file, selection, options, io });
    if (count === 0) throw nothingFound(options);
  } finally {
    file.close();
  }
}

interface Question {
  readonly file: ReadingsFile;
  readonly selection: Selection;
  readonly options: QueryOptions;
  readonly io: ProgramIo;
}

/** Prints it; answers how much there was. */
async function answer({ file, selection, options, io }: Question): Promise<number> {
  const { what, format } = options;
  if (what === "list")
    return print(io, listTable(measureAll(file, selection, options), widthOf(io)));
  if (format === "plot") {
    const request = { file, options, series: selection.series };
    const chart = await plotReadings(request, io, (line) => say(io, line));
    return print(io, chart, 0);
  }
  if (format !== "table")
    return exportReadings(selectReadings(selection, options), format, io.stdout);
  if (what === "last") {
    const readings = Array.from(selection.readLast());
    return print(io, lastTable(readings, options.now, widthOf(io)));
  }
  const limit = options.limit ?? tableReadings;
  const { readings, hasMore } = selection.readNewest(limit);
  const count = print(io, readingTable(readings, options.every, widthOf(io)));
  if (hasMore && options.limit === undefined) {
    say(io, `these are the newest ${limit}; --limit shows more, --csv and --json all`);
  }
  return count;
}

function selectReadings(selection: Selection, { what, limit }: QueryOptions) {
  if (what === "last") return selection.readLast();
  return limit === undefined ? selection.readAll() : selection.readNewest(limit).readings;
}

function measureAll(
  file: ReadingsFile,
  { series }: Selection,
  options: QueryOptions,
): readonly SeriesSummary[] {
  return series.flatMap((each) => {
    const extent = file.measure(each, options);
    return extent === undefined ? [] : [{ series: each, ...extent }];
  });
}

/** Nothing where there is nothing below the heads. */
function print(io: ProgramIo, lines: readonly string[], heads = 1): number {
  const count = Math.max(0, lines.length - heads);
  if (count > 0) io.stdout.write(`${lines.join("\n")}\n`);
  return count;
}

function say(io: ProgramIo, line: string): void {
  io.stderr.write(`${name}: ${line}\n`);
}

function widthOf(io: ProgramIo): number {
  return screenOf(io.stdout).width ?? Number.POSITIVE_INFINITY;
}

function nothingMatches({ filter, field, file }: QueryOptions): ProgramFailure {
  const withField = field === undefined ? "" : ` with a field ${JSON.stringify(field)}`;
  return new ProgramFailure(
    `no topic in ${file} matches ${JSON.stringify(filter)}${withField}: --list shows what there is`,
  );
}

function nothingFound({ format, every }: QueryOptions): ProgramFailure {
  const texts = format === "plot" || every !== undefined ? ", or only texts" : "";
  return new ProgramFailure(
    `nothing in that time${texts}: --list shows from when to when there are readings`,
  );
}
