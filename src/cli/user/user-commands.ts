/** The commands of tuser for users: who there is, who comes and goes, passwords. */
import type { Command } from "commander";
import type { NewUser, Rule, User, UserDetails } from "../../admin/index.ts";
import {
  type AdminClient,
  apiPath,
  ask,
  ProblemFailure,
  withAdmin,
} from "../admin-client/index.ts";
import { ProgramFailure, UsageError } from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { addPasswordOptions, addRuleOptions, gather, printJson, say } from "./admin-command.ts";
import { type PasswordArguments, readNewPassword } from "./new-password.ts";
import { widthOf } from "./table.ts";
import { formatUser, formatUsers } from "./user-text.ts";

interface AddArguments extends PasswordArguments {
  readonly role?: readonly string[];
  readonly scram?: boolean;
  readonly disabled?: boolean;
}

interface JsonArguments {
  readonly json?: boolean;
}

export function addUserCommands(program: Command, io: ProgramIo): void {
  const rules: Rule[] = [];
  const add = program
    .command("add")
    .description("add a user")
    .argument("<name>", "the user name that its clients give");
  addPasswordOptions(addRuleOptions(add, rules))
    .option("--role <name>", "a role that it has; repeatable", gather)
    .option("--no-password", "none: it comes in with a certificate, or not at all")
    .option("--scram", "let it log in with SCRAM-SHA-256 too")
    .option("--disabled", "keep it out until tuser enable")
    .action((name: string, options: AddArguments, command: Command) =>
      addUser({ name, rules, options }, command, io),
    );
  program
    .command("list")
    .description("list all users")
    .option("--json", "as JSON")
    .action(({ json }: JsonArguments, command: Command) =>
      withAdmin(command, io, async (client) => {
        const users = await ask<readonly User[]>(client, "GET", apiPath`/v1/users`);
        if (json) printJson(io, users);
        else if (users.length === 0) say(io, describeNone(client));
        else io.stdout.write(formatUsers(users, widthOf(io.stdout)));
      }),
    );
  program
    .command("show")
    .description("show a user, its rules and its sessions")
    .argument("<name>")
    .option("--json", "as JSON")
    .action((name: string, { json }: JsonArguments, command: Command) =>
      withAdmin(command, io, async (client) => {
        const user = await findUser(client, name);
        if (json) printJson(io, user);
        else io.stdout.write(formatUser(user));
      }),
    );
  addPasswdCommand(program, io);
  addStateCommands(program, io);
}

function addPasswdCommand(program: Command, io: ProgramIo): void {
  const passwd = program
    .command("passwd")
    .description("give a user another password, and end its connections")
    .argument("<name>");
  addPasswordOptions(passwd)
    .option("--scram", "let it log in with SCRAM-SHA-256 too (default: as it was)")
    .option("--no-scram", "do not")
    .action(async (name: string, options: AddArguments, command: Command) => {
      // Before somebody types a password twice for nothing.
      await withAdmin(command, io, async (client) =>
        refuseConfigured(await findUser(client, name)),
      );
      const password = await readNewPassword(options, io);
      const { scram } = options;
      await withAdmin(command, io, async (client) => {
        await ask(client, "PUT", apiPath`/v1/users/${name}/password`, { password, scram });
      });
    });
}

function addStateCommands(program: Command, io: ProgramIo): void {
  program
    .command("remove")
    .description("remove a user, end its connections and its sessions")
    .argument("<name>")
    .action((name: string, _options: unknown, command: Command) =>
      withAdmin(command, io, async (client) => {
        await ask(client, "DELETE", apiPath`/v1/users/${name}`);
        const rest = await ask<readonly User[]>(client, "GET", apiPath`/v1/users`);
        if (rest.length > 0) return;
        say(io, "that was the last user: clients of this machine need no password from now on");
      }),
    );
  for (const [word, isEnabled, description] of [
    ["enable", true, "let a user in again"],
    ["disable", false, "keep a user out, and end its connections; its sessions stay"],
  ] as const) {
    program
      .command(word)
      .description(description)
      .argument("<name>")
      .action((name: string, _options: unknown, command: Command) =>
        withAdmin(command, io, async (client) => {
          await ask(client, "PUT", apiPath`/v1/users/${name}/enabled`, { isEnabled });
        }),
      );
  }
}

interface Addition {
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly options: AddArguments;
}

/** The folder of a broker at rest is not held while somebody types a password. */
async function addUser(
  { name, rules, options }: Addition,
  command: Command,
  io: ProgramIo,
): Promise<void> {
  const { role: roles = [], scram, disabled = false } = options;
  if (scram && options.password === false) throw new UsageError("--scram needs a password");
  let isFirst = false;
  await withAdmin(command, io, async (client) => {
    const users = await ask<readonly User[]>(client, "GET", apiPath`/v1/users`);
    if (users.some((user) => user.name === name)) throw existsFailure(name);
    isFirst = users.length === 0;
  });
  const password = await readNewPassword(options, io);
  const user: NewUser = { name, password, scram, roles, rules, isEnabled: !disabled };
  await withAdmin(command, io, async (client) => {
    await ask(client, "POST", apiPath`/v1/users`, user);
  });
  if (rules.length + roles.length === 0) {
    say(io, `${name} may connect and nothing else: tuser grant ${name} '%u/#' gives rights`);
  }
  if (isFirst) {
    say(
      io,
      "this is the first user: clients without a user name are refused from now on, unless the configuration allows them (allowAnonymous)",
    );
  }
}

function existsFailure(name: string): ProgramFailure {
  return new ProgramFailure(
    `there is a user ${JSON.stringify(name)} already: tuser passwd, grant and revoke change it`,
  );
}

/** Those of the configuration are known to a running broker only. */
const inStore = "in the store (no broker runs, and the configuration is not asked)";

function describeNone({ isRunning }: AdminClient): string {
  return `there are no users${isRunning ? "" : ` ${inStore}`}: tuser add NAME makes one`;
}

export async function findUser(client: AdminClient, name: string): Promise<UserDetails> {
  try {
    return await ask<UserDetails>(client, "GET", apiPath`/v1/users/${name}`);
  } catch (error) {
    if (!(error instanceof ProblemFailure) || error.code !== "USER_UNKNOWN") throw error;
    const where = client.isRunning ? "" : ` ${inStore}`;
    const message = `there is no user ${JSON.stringify(name)}${where}: tuser list names all`;
    throw new ProgramFailure(message, { cause: error });
  }
}

function refuseConfigured({ name, origin }: User): void {
  if (origin === "store") return;
  throw new ProgramFailure(
    `${JSON.stringify(name)} stands in the configuration file: change it there (tserve hash-password makes a hash)`,
  );
}
