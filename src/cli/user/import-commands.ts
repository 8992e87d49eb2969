/** The commands of tuser that move users: import from other brokers' files or from an export, and export. */
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { type Command, Option } from "commander";
import type { ExportedIdentities, ImportOutcome } from "../../admin/index.ts";
import { type AdminClient, apiPath, ask, withAdmin } from "../admin-client/index.ts";
import { describeSystemError, ProgramFailure, UsageError } from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { isThere, writeWholeFile } from "../whole-file.ts";
import { printJson, say } from "./admin-command.ts";
import { readAclLines } from "./import-acl.ts";
import { mergePlan, patternsRole } from "./import-merge.ts";
import { readPasswdLines } from "./import-passwd.ts";
import { ImportPlan } from "./import-plan.ts";

const formats = ["passwd", "acl", "json"] as const;
type Format = (typeof formats)[number];

interface ImportArguments {
  readonly format?: Format;
  readonly replace?: boolean;
  readonly skip?: boolean;
  readonly dryRun?: boolean;
}

interface Source {
  readonly file: string;
  readonly content: string;
  readonly format: Format;
}

const faultsShownMax = 20;

export function addImportCommands(program: Command, io: ProgramIo): void {
  program
    .command("import")
    .description("take users over: mosquitto's passwd and acl files, bcrypt lines, an export")
    .argument("<file...>", "one or more, read as one; - is stdin")
    .addOption(
      new Option("--format <kind>", "what they are (default: seen in the file)").choices(formats),
    )
    .option("--replace", "passwords, rules and roles that are there already become as given")
    .option("--skip", "leave out lines that cannot be taken over")
    .option("--dry-run", "only say what would be done")
    .action(async (files: readonly string[], options: ImportArguments, command: Command) => {
      // Before the broker is asked: stdin may be the export of another tuser, which wants the folder too.
      const sources = await readSources(files, options, io);
      await withAdmin(command, io, (client) => importSources(client, sources, options, io));
    });
  program
    .command("export")
    .description("write all users and roles of the store as JSON, with the hashes of passwords")
    .argument("[file]", "its owner alone may read it (default: stdout)")
    .option("--force", "replace a file that is there")
    .action((file: string | undefined, options: { readonly force?: boolean }, command: Command) =>
      withAdmin(command, io, async (client) => {
        const identities = await ask<ExportedIdentities>(client, "GET", apiPath`/v1/identities`);
        if (file === undefined) return printJson(io, identities);
        if (!options.force && isThere(file)) {
          throw new ProgramFailure(`${file} is there already: --force replaces it`);
        }
        writeWholeFile(file, `${JSON.stringify(identities, undefined, 2)}\n`, 0o600);
      }),
    );
}

async function readSources(
  files: readonly string[],
  { format }: ImportArguments,
  io: ProgramIo,
): Promise<readonly Source[]> {
  const sources: Source[] = [];
  for (const file of files) {
    const content = await readSource(file, io);
    sources.push({ file, content, format: format ?? recognize(file, content) });
  }
  return sources;
}

async function importSources(
  client: AdminClient,
  sources: readonly Source[],
  options: ImportArguments,
  io: ProgramIo,
): Promise<void> {
  const exported = sources.find(({ format }) => format === "json");
  if (exported === undefined) return importPlan(client, readPlan(sources), options, io);
  if (sources.length > 1) throw new UsageError(`${exported.file} is an export: import it alone`);
  await importExport(client, exported, options, io);
}

async function readSource(file: string, io: ProgramIo): Promise<string> {
  try {
    const content = file === "-" ? await text(io.stdin) : await readFile(file, "utf8");
    return content.replace(/^\ufeff/, ""); // Windows editors put it there
  } catch (error) {
    const message = `${file}: ${describeSystemError(error as Error)}`;
    throw new ProgramFailure(message, { cause: error });
  }
}

function recognize(file: string, content: string): Format {
  if (content.trimStart().startsWith("{")) return "json";
  const first = content.split("\n").find((line) => line.trim() !== "" && !line.startsWith("#"));
  if (first !== undefined && /^\s*(?:user|topic|pattern)\s/.test(first)) return "acl";
  if (first?.includes(":")) return "passwd";
  const message = `${file} is no passwd file, no acl file and no export; --format says what it is`;
  throw new ProgramFailure(message);
}

function readPlan(sources: readonly Source[]): ImportPlan {
  const plan = new ImportPlan();
  for (const { file, content, format } of sources) {
    const lines = content.split(/\r?\n/);
    if (format === "acl") readAclLines(file, lines, plan);
    else readPasswdLines(file, lines, plan);
  }
  return plan;
}

async function importPlan(
  client: AdminClient,
  plan: ImportPlan,
  options: ImportArguments,
  io: ProgramIo,
): Promise<void> {
  tellFaults(plan, options, io);
  const current = await ask<ExportedIdentities>(client, "GET", apiPath`/v1/identities`);
  const { identities, conflicts, withoutPassword } = mergePlan(plan, current);
  if (!options.replace) refuseConflicts(conflicts);
  if (options.dryRun) {
    const names = new Set([...current.users, ...current.roles].map(({ name }) => name));
    const given = [...identities.users, ...identities.roles].map(({ name }) => name);
    tellOutcome(
      {
        added: given.filter((name) => !names.has(name)),
        replaced: given.filter((name) => names.has(name)),
      },
      "would be",
      io,
    );
  } else {
    const path = apiPath`/v1/identities?replace=true`;
    tellOutcome(await ask<ImportOutcome>(client, "POST", path, identities), "", io);
  }
  tellDifferences(plan, withoutPassword, io);
}

function tellFaults({ faults }: ImportPlan, { skip }: ImportArguments, io: ProgramIo): void {
  const shown = skip ? faults : faults.slice(0, faultsShownMax);
  for (const { file, line, message } of shown) say(io, `${file}:${line} ${message}`);
  if (faults.length > shown.length) say(io, `and ${faults.length - shown.length} more lines`);
  if (faults.length === 0 || skip) return;
  throw new ProgramFailure(
    "nothing was imported: mend these lines, or --skip leaves them out (a denial that is left out gives rights)",
  );
}

function refuseConflicts(conflicts: readonly string[]): void {
  if (conflicts.length === 0) return;
  const shown = conflicts.slice(0, faultsShownMax);
  const more =
    conflicts.length > shown.length ? `, and ${conflicts.length - shown.length} more` : "";
  throw new ProgramFailure(
    `nothing was imported: ${shown.join(", ")}${more} already; --replace takes those of the file`,
  );
}

/** What is not in tStack as it was in mosquitto. */
function tellDifferences(
  plan: ImportPlan,
  withoutPassword: readonly string[],
  io: ProgramIo,
): void {
  const { anonymous, patterns, users } = plan;
  const planned = withoutPassword.filter((name) => users.has(name));
  if (planned.length > 0) {
    say(io, `no file has a password of ${planned.join(", ")}: tuser passwd NAME gives one`);
  }
  if (patterns.length > 0) {
    say(io, `the patterns are the role ${patternsRole}; new users need it: --role ${patternsRole}`);
  }
  if (anonymous.length > 0) {
    const rules = anonymous.map((rule) => JSON.stringify(rule)).join(", ");
    say(
      io,
      `lines before the first user are of anonymous clients; the configuration says that: allowAnonymous: true, anonymous: { rights: [${rules}] }`,
    );
  }
  if ([...users.values()].some(({ rules }) => rules?.some(({ allow }) => allow !== undefined))) {
    say(
      io,
      "mosquitto lets everyone subscribe to # and passes on what may be read; tStack refuses a subscription that reaches beyond the rules: tuser explain NAME subscribe FILTER",
    );
  }
}

async function importExport(
  client: AdminClient,
  { file, content }: Source,
  { replace, dryRun }: ImportArguments,
  io: ProgramIo,
): Promise<void> {
  const identities = parseExport(file, content);
  if (dryRun) {
    const current = await ask<ExportedIdentities>(client, "GET", apiPath`/v1/identities`);
    const names = new Set([...current.users, ...current.roles].map(({ name }) => name));
    const given = [...identities.users, ...identities.roles].map(({ name }) => name);
    const replaced = given.filter((name) => names.has(name));
    if (!replace) refuseConflicts(replaced.map((name) => `${JSON.stringify(name)} is there`));
    tellOutcome({ added: given.filter((name) => !names.has(name)), replaced }, "would be", io);
    return;
  }
  const path = `/v1/identities?replace=${replace === true}`;
  tellOutcome(await ask<ImportOutcome>(client, "POST", path, identities), "", io);
}

/** Its content is checked by the API; the words of the parser may hold what it read, and are not passed on. */
function parseExport(file: string, content: string): ExportedIdentities {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    value = undefined;
  }
  const { users, roles } = (value ?? {}) as Partial<ExportedIdentities>;
  if (Array.isArray(users) && Array.isArray(roles)) return { users, roles };
  throw new ProgramFailure(`${file} is not what tuser export writes`);
}

function tellOutcome({ added, replaced }: ImportOutcome, verb: string, io: ProgramIo): void {
  const will = verb === "" ? "" : `${verb} `;
  for (const name of added) io.stdout.write(`${will}added ${JSON.stringify(name)}\n`);
  for (const name of replaced) io.stdout.write(`${will}changed ${JSON.stringify(name)}\n`);
}
