/** The commands of tuser that give rules and roles and take them, of users and of roles. */
import type { Command } from "commander";
import type { NewRole, Role, Rule } from "../../admin/index.ts";
import { type AdminClient, apiPath, ask, withAdmin } from "../admin-client/index.ts";
import { ProgramFailure, UsageError } from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { addRuleOptions, gather, printJson, say } from "./admin-command.ts";
import { isSameRule, parseRule } from "./rule-words.ts";
import { widthOf } from "./table.ts";
import { findUser } from "./user-commands.ts";
import { formatRole, formatRoles } from "./user-text.ts";

interface RightsArguments {
  readonly role?: readonly string[];
  readonly at?: number;
}

/** Whose rights. */
interface Owner {
  readonly path: string;
  readRules(client: AdminClient): Promise<readonly Rule[]>;
}

const ownerOfUser = (name: string): Owner => ({
  path: apiPath`/v1/users/${name}/rights`,
  readRules: async (client) => (await findUser(client, name)).rules,
});
const ownerOfRole = (name: string): Owner => ({
  path: apiPath`/v1/roles/${name}/rights`,
  readRules: async (client) => (await findRole(client, name)).rules,
});

export function addRightsCommands(program: Command, io: ProgramIo): void {
  addGrant(program, io, ownerOfUser).option("--role <name>", "a role; repeatable", gather);
  addRevoke(program, io, ownerOfUser).option("--role <name>", "a role; repeatable", gather);
  addRoleCommands(program, io);
}

function addGrant(parent: Command, io: ProgramIo, ownerOf: (name: string) => Owner): Command {
  return parent
    .command("grant")
    .description("add rules: 'a/#', 'deny publish a/b', 'allow subscribe a/+ qos 0,1'")
    .argument("<name>")
    .argument("[rule...]")
    .option(
      "--at <number>",
      "put them before the rule of this number (default: at the end)",
      readNumber,
    )
    .action(
      async (
        name: string,
        words: readonly string[],
        options: RightsArguments,
        command: Command,
      ) => {
        const rules = words.map((rule) => parseRule(rule));
        const { role: roles = [], at } = options;
        if (rules.length + roles.length === 0) throw new UsageError("say which rule to grant");
        const granting = { rules, roles, at: at === undefined ? undefined : at - 1 };
        await withAdmin(command, io, async (client) => {
          await ask(client, "POST", ownerOf(name).path, granting);
        });
      },
    );
}

function addRevoke(parent: Command, io: ProgramIo, ownerOf: (name: string) => Owner): Command {
  return parent
    .command("revoke")
    .description("take rules, by their number in show, their filter or all their words")
    .argument("<name>")
    .argument("[rule...]")
    .action((name: string, words: readonly string[], options: RightsArguments, command: Command) =>
      withAdmin(command, io, async (client) => {
        const { role: roles = [] } = options;
        if (words.length + roles.length === 0) throw new UsageError("say which rule to revoke");
        const owner = ownerOf(name);
        const rules = words.length === 0 ? [] : await owner.readRules(client);
        const places = words.flatMap((word) => findPlaces(rules, word));
        await ask(client, "POST", `${owner.path}/revoke`, {
          ...(places.length === 0 ? {} : { places: [...new Set(places)] }),
          ...(roles.length === 0 ? {} : { roles }),
        });
      }),
    );
}

function readNumber(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new UsageError(`--at takes the number of a rule, which show tells, not "${text}"`);
}

/** The rules that a word of `revoke` means; a filter alone means all with that filter. @throws ProgramFailure for none */
function findPlaces(rules: readonly Rule[], word: string): readonly number[] {
  if (/^\d+$/.test(word)) {
    const place = Number(word) - 1;
    if (place in rules) return [place];
    throw new ProgramFailure(`there is no rule ${word}; show tells the numbers`);
  }
  const wanted = parseRule(word);
  const isFilterAlone = word === wanted.filter || word === JSON.stringify(wanted.filter);
  const places = [...rules.keys()].filter((place) =>
    isFilterAlone ? rules[place].filter === wanted.filter : isSameRule(rules[place], wanted),
  );
  if (places.length > 0) return places;
  throw new ProgramFailure(`there is no rule ${JSON.stringify(word)}; show tells which there are`);
}

function addRoleCommands(program: Command, io: ProgramIo): void {
  const role = program.command("role").description("roles: rules that users share");
  const rules: Rule[] = [];
  addRuleOptions(role.command("add").description("add a role").argument("<name>"), rules).action(
    (name: string, _options: unknown, command: Command) =>
      withAdmin(command, io, async (client) => {
        const newRole: NewRole = { name, rules };
        await ask(client, "POST", apiPath`/v1/roles`, newRole);
      }),
  );
  role
    .command("list")
    .description("list all roles")
    .option("--json", "as JSON")
    .action(({ json }: { readonly json?: boolean }, command: Command) =>
      withAdmin(command, io, async (client) => {
        const roles = await ask<readonly Role[]>(client, "GET", apiPath`/v1/roles`);
        if (json) printJson(io, roles);
        else if (roles.length === 0) say(io, "there are no roles: tuser role add NAME makes one");
        else io.stdout.write(formatRoles(roles, widthOf(io.stdout)));
      }),
    );
  role
    .command("show")
    .description("show a role and its rules")
    .argument("<name>")
    .option("--json", "as JSON")
    .action((name: string, { json }: { readonly json?: boolean }, command: Command) =>
      withAdmin(command, io, async (client) => {
        const found = await findRole(client, name);
        if (json) printJson(io, found);
        else io.stdout.write(formatRole(found));
      }),
    );
  role
    .command("remove")
    .description("remove a role that no user has")
    .argument("<name>")
    .action((name: string, _options: unknown, command: Command) =>
      withAdmin(command, io, async (client) => {
        await ask(client, "DELETE", apiPath`/v1/roles/${name}`);
      }),
    );
  addGrant(role, io, ownerOfRole);
  addRevoke(role, io, ownerOfRole);
}

function findRole(client: AdminClient, name: string): Promise<Role> {
  return ask<Role>(client, "GET", apiPath`/v1/roles/${name}`);
}
