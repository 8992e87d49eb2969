/** The command line of `tconsume query`. */
import { type Command, Option } from "commander";
import { type Aggregate, aggregates, sqliteFileDefault } from "../../sinks/sqlite/index.ts";
import { readWhole, topicFilterMistake, UsageError } from "../client/index.ts";
import { newCommand } from "../command-program.ts";
import type { ProgramIo } from "../program-io.ts";
import { readDuration, readTime } from "./times.ts";

/** What is asked, in microseconds since 1970 and microseconds. */
export interface QueryOptions {
  /** When it was asked. */
  readonly now: number;
  readonly filter: string;
  readonly file: string;
  readonly since: number;
  readonly until: number;
  readonly field: string | undefined;
  readonly what: "readings" | "last" | "list";
  readonly format: "table" | "csv" | "json" | "plot";
  readonly every: number | undefined;
  readonly aggregate: Aggregate;
  readonly limit: number | undefined;
  readonly width: number | undefined;
  readonly height: number | undefined;
}

interface QueryArguments {
  readonly sqliteFile: string;
  readonly since?: number;
  readonly until?: number;
  readonly field?: string;
  readonly last?: boolean;
  readonly list?: boolean;
  readonly csv?: boolean;
  readonly json?: boolean;
  readonly plot?: boolean;
  readonly every?: number;
  readonly aggregate?: Aggregate;
  readonly limit?: number;
  readonly width?: number;
  readonly height?: number;
}

const afterHelp = `
A time is a while ago (30s, 5m, 1h, 7d, 2w), or a date and time by the clock of
this machine (2026-11-23, 2026-11-23T18:30, with Z in UTC). Tables and charts
have local times, CSV and JSON have UTC.

Examples:
  tconsume query --last                        the newest value of everything
  tconsume query 'home/+/temp' --since 1h
  tconsume query 'home/+/temp' --since 1d --plot
  tconsume query 'home/#' --since 7d --every 1h --csv > week.csv
`;

/** `query` gets what was asked for. `now` in milliseconds since 1970. */
export function queryCommand(
  io: ProgramIo,
  now: number,
  query: (options: QueryOptions) => Promise<void>,
): Command {
  const command = newCommand(
    "tconsume query",
    "Prints readings that tconsume has written with --sink sqlite.",
    io,
  )
    .argument("[filter]", "the topics; + and # are wildcards", "#")
    .option("--sqlite-file <file>", "the file of tconsume", sqliteFileDefault)
    .option("--since <time>", "from then on", readTime("--since", now))
    .option("--until <time>", "before then", readTime("--until", now))
    .option("--field <name>", "this field only")
    .option("--last", "the newest value of each topic")
    .option("--list", "what there is: topics, how many readings, from when to when")
    .option("--every <time>", "one value for each such interval", readDuration("--every"))
    .addOption(
      new Option("--aggregate <name>", "what of an interval (default: mean)").choices(aggregates),
    )
    .option("--limit <count>", "the newest so many (a table: 100)", readLimit)
    .option("--csv", "as CSV, all of it")
    .option("--json", "as JSON lines, all of it")
    .option("--plot", "as a chart")
    .option("--width <columns>", "of the chart", readWhole("--width", 30, 500))
    .option("--height <lines>", "of the chart", readWhole("--height", 8, 200))
    .addHelpText("after", afterHelp)
    .action((filter: string, parsed: QueryArguments) =>
      query({ ...toOptions(filter, parsed), now: now * 1000 }),
    );
  return command;
}

const readLimit = readWhole("--limit", 1, 1_000_000);

/** @throws UsageError */
function toOptions(filter: string, parsed: QueryArguments): Omit<QueryOptions, "now"> {
  const mistake = topicFilterMistake(filter);
  if (mistake !== undefined) throw new UsageError(`the filter "${filter}" ${mistake}`);
  const format = chooseOne(parsed, ["csv", "json", "plot"]) ?? "table";
  const what = chooseOne(parsed, ["last", "list"]) ?? "readings";
  const { since = Number.MIN_SAFE_INTEGER, until = Number.MAX_SAFE_INTEGER } = parsed;
  const { sqliteFile: file, field, every, aggregate, limit, width, height } = parsed;
  if (since >= until) throw new UsageError("--since must be before --until");
  if (aggregate !== undefined && every === undefined && format !== "plot") {
    throw new UsageError("--aggregate goes with --every, as in --every 1m");
  }
  checkTogether(format === "plot", { width, height }, "goes with --plot");
  checkTogether(
    what === "readings",
    { every, limit, plot: parsed.plot },
    `does not go with --${what}`,
  );
  checkTogether(what !== "list", { csv: parsed.csv, json: parsed.json }, "does not go with --list");
  checkTogether(format !== "plot", { limit }, "does not go with --plot: narrow it with --since");
  return {
    ...{ filter, file, since, until, field, what, format, every, limit, width, height },
    aggregate: aggregate ?? "mean",
  };
}

function chooseOne<Name extends keyof QueryArguments>(
  parsed: QueryArguments,
  names: readonly Name[],
): Name | undefined {
  const chosen = names.filter((name) => parsed[name] === true);
  if (chosen.length > 1) throw new UsageError(`--${chosen[0]} and --${chosen[1]}: choose one`);
  return chosen[0];
}

function checkTogether(
  isAllowed: boolean,
  options: Readonly<Record<string, unknown>>,
  why: string,
): void {
  const [given] = Object.entries(options).filter(([, value]) => value !== undefined);
  if (!isAllowed && given !== undefined) throw new UsageError(`--${given[0]} ${why}`);
}
