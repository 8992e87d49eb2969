/** Users and roles as people read them: a table of all, and all about one. */
import type { Role, Rule, User, UserDetails } from "../../admin/index.ts";
import { toVisible } from "../../base/index.ts";
import { describeTime } from "../time-text.ts";
import { formatRule } from "./rule-words.ts";
import { formatTable } from "./table.ts";

export function formatUsers(users: readonly User[], width: number): string {
  const rows = users.map((user) => [
    user.name,
    describeLogin(user),
    user.roles.join(", "),
    user.rules.map(formatRule).join("; "),
  ]);
  return formatTable(["USER", "LOGIN", "ROLES", "RULES"], rows, width);
}

/** How it proves who it is, or why it cannot. */
function describeLogin({ isEnabled, hasPassword, hasScram }: User): string {
  if (!isEnabled) return "disabled";
  if (!hasPassword && !hasScram) return "certificate";
  return hasScram ? "password, SCRAM" : "password";
}

export function formatUser(user: UserDetails): string {
  const made = user.createdAt === undefined ? [] : [["made", describeTime(user.createdAt)]];
  const note = user.note === undefined ? [] : [["note", user.note]];
  const facts = [
    ["login", describeLogin(user)],
    ["kept in", user.origin === "store" ? "the broker's store" : "the configuration file"],
    ["roles", user.roles.join(", ") || "none"],
    ...made,
    ...note,
  ];
  const lines = facts.map(([name, value]) => `  ${name.padEnd(8)} ${toVisible(value)}\n`);
  const sessions = user.clients.map(({ clientIdentifier, isConnected, remoteAddress }) => {
    const where = isConnected ? `connected from ${remoteAddress ?? "this machine"}` : "away";
    return `  ${toVisible(clientIdentifier)}: ${where}\n`;
  });
  const sessionsPart = sessions.length === 0 ? "" : `sessions:\n${sessions.join("")}`;
  return `${toVisible(user.name)}\n${lines.join("")}${formatRules(user.rules)}${sessionsPart}`;
}

export function formatRole(role: Role): string {
  const users = `${role.users} ${role.users === 1 ? "user has" : "users have"} it`;
  return `${toVisible(role.name)}\n  ${users}\n${formatRules(role.rules)}`;
}

export function formatRoles(roles: readonly Role[], width: number): string {
  const rows = roles.map(({ name, users, rules }) => [
    name,
    String(users),
    rules.map(formatRule).join("; "),
  ]);
  return formatTable(["ROLE", "USERS", "RULES"], rows, width);
}

/** With the numbers that `revoke` takes. */
function formatRules(rules: readonly Rule[]): string {
  if (rules.length === 0) return "rules: none\n";
  const digits = String(rules.length).length;
  const lines = rules.map((rule, index) => {
    return `  ${String(index + 1).padStart(digits)}  ${formatRule(rule)}\n`;
  });
  return `rules:\n${lines.join("")}`;
}
