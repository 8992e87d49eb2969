/** The commands of tuser that ask and change nothing but bans: who may do what, and why. */
import type { Command } from "commander";
import type { Action, Ban, ExplainQuestion, Explanation, QoS, WhoCan } from "../../admin/index.ts";
import { type AdminClient, apiPath, ask, withAdmin } from "../admin-client/index.ts";
import { readWhole, UsageError } from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { describeTime } from "../time-text.ts";
import { printJson, say } from "./admin-command.ts";
import { formatTable, widthOf } from "./table.ts";

interface QuestionArguments {
  readonly anonymous?: boolean;
  readonly clientId?: string;
  readonly qos?: QoS;
  readonly retain?: boolean;
  readonly json?: boolean;
}

export function addQuestionCommands(program: Command, io: ProgramIo): void {
  const explain = program
    .command("explain")
    .description("say whether a user may publish or subscribe that, and which rule decides")
    .argument("<question...>", "NAME publish|subscribe TOPIC; as NAME - for anonymous clients")
    .option("--anonymous", "ask for clients without a user name, instead of NAME")
    .option("--client-id <id>", "the client identifier (default: the user's name)");
  addMessageOptions(explain).action(
    async (words: readonly string[], options: QuestionArguments, command: Command) => {
      const question = readQuestion(words, options);
      await withAdmin(command, io, async (client) => {
        const answer = await ask<Explanation>(client, "POST", apiPath`/v1/explain`, question);
        if (options.json) printJson(io, answer);
        else io.stdout.write(`${answer.allowed ? "allowed" : "refused"}: ${answer.rule}\n`);
        if (answer.warning !== undefined) say(io, answer.warning);
        warnOfRest(client, io);
      });
    },
  );
  const whoCan = program
    .command("who-can")
    .description("list who may publish or subscribe that")
    .argument("<action>", "publish or subscribe")
    .argument("<topic>");
  addMessageOptions(whoCan).action(
    async (word: string, topic: string, options: QuestionArguments, command: Command) => {
      const { qos, retain, json } = options;
      const question = { action: readAction(word), topic, qos, retain };
      await withAdmin(command, io, async (client) => {
        const found = await ask<readonly WhoCan[]>(client, "POST", apiPath`/v1/who-can`, question);
        if (json) printJson(io, found);
        else if (found.length === 0) say(io, "nobody");
        else io.stdout.write(formatWhoCan(found, widthOf(io.stdout)));
        warnOfRest(client, io);
      });
    },
  );
  addBanCommands(program, io);
}

function warnOfRest({ isRunning }: AdminClient, io: ProgramIo): void {
  if (isRunning) return;
  say(io, "no broker runs: this is without the users and anonymous clients of its configuration");
}

function addMessageOptions(command: Command): Command {
  return command
    .option("--qos <level>", "quality of service (default: 0)", readWhole("--qos", 0, 2))
    .option("--retain", "with RETAIN")
    .option("--json", "as JSON");
}

function readQuestion(
  given: readonly string[],
  { anonymous, clientId: clientIdentifier, qos, retain }: QuestionArguments,
): ExplainQuestion {
  const words = anonymous ? ["-", ...given] : given;
  if (words.length !== 3) {
    const form = anonymous ? "--anonymous publish|subscribe TOPIC" : "NAME publish|subscribe TOPIC";
    throw new UsageError(`the question is: explain ${form}`);
  }
  const [name, action, topic] = words;
  const user = name === "-" ? undefined : name;
  return { user, action: readAction(action), topic, clientIdentifier, qos, retain };
}

function readAction(word: string): Action {
  if (word === "publish" || word === "subscribe") return word;
  throw new UsageError(`say publish or subscribe, not ${JSON.stringify(word)}`);
}

function formatWhoCan(found: readonly WhoCan[], width: number): string {
  const rows = found.map(({ user, rule, condition }) => [
    user ?? "(anonymous)",
    condition === undefined ? rule : `${condition}; ${rule}`,
  ]);
  return formatTable(["USER", "BY"], rows, width);
}

function addBanCommands(program: Command, io: ProgramIo): void {
  program
    .command("bans")
    .description("list addresses and users that gave wrong passwords (of a running broker)")
    .option("--json", "as JSON")
    .action(({ json }: QuestionArguments, command: Command) =>
      withAdmin(command, io, async (client) => {
        const bans = await ask<readonly Ban[]>(client, "GET", apiPath`/v1/bans`);
        if (json) printJson(io, bans);
        else if (bans.length === 0) say(io, "there are none");
        else io.stdout.write(formatBans(bans, widthOf(io.stdout)));
      }),
    );
  program
    .command("unban")
    .description("let an address or a user try again at once")
    .argument("<subject>", "as bans lists it")
    .action((subject: string, _options: unknown, command: Command) =>
      withAdmin(command, io, async (client) => {
        await ask(client, "DELETE", apiPath`/v1/bans/${subject}`);
      }),
    );
}

function formatBans(bans: readonly Ban[], width: number): string {
  const rows = bans.map(({ subject, kind, failures, bannedUntil }) => [
    subject,
    kind,
    String(failures),
    bannedUntil === undefined ? "delayed only" : `banned until ${describeTime(bannedUntil)}`,
  ]);
  return formatTable(["WHO", "KIND", "FAILURES", "STATE"], rows, width);
}
