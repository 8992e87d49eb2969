/**
 * Reads mosquitto's file of access rights. mosquitto asks denials before all else, wherever they stand, so they come first
 * in each list of rules; and it asks the lines of a user before the patterns of all.
 */
import type { Rule } from "../../admin/index.ts";
import { findMistakeInRule } from "../../auth/index.ts";
import type { ImportPlan } from "./import-plan.ts";

/** What mosquitto's words are in ours. */
const rights: Readonly<Record<string, (filter: string) => Rule>> = {
  read: (filter) => ({ allow: "subscribe", filter }),
  write: (filter) => ({ allow: "publish", filter }),
  readwrite: (filter) => ({ allow: "both", filter }),
  deny: (filter) => ({ deny: "both", filter }),
};

export function readAclLines(file: string, lines: readonly string[], plan: ImportPlan): void {
  let rules = plan.anonymous;
  for (const [index, text] of lines.entries()) {
    const trimmed = text.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const [, word, rest] = /^(\S+)\s*(.*)$/s.exec(trimmed) ?? [];
    const fail = (message: string) => plan.faults.push({ file, line: index + 1, message });
    if (word === "user" && rest !== "") {
      const user = plan.user(rest);
      user.rules ??= [];
      rules = user.rules;
    } else if (word === "topic" || word === "pattern") {
      const rule = readRule(rest);
      const mistake = findMistake(word, rule);
      if (mistake !== undefined) fail(mistake);
      else (word === "pattern" ? plan.patterns : rules).push(rule);
    } else {
      fail("is not user NAME, topic [read|write|readwrite|deny] FILTER or pattern ...");
    }
  }
  for (const list of [...plan.users.values()].map((user) => user.rules)) putDenialsFirst(list);
  putDenialsFirst(plan.patterns);
  putDenialsFirst(plan.anonymous);
}

function readRule(text: string): Rule {
  const [, access, rest] = /^(\S+)\s+(.+)$/s.exec(text) ?? [];
  // A word that is none of these is the first of a filter with spaces, as mosquitto sees it.
  if (access !== undefined && Object.hasOwn(rights, access)) return rights[access](rest);
  return rights.readwrite(text);
}

function findMistake(word: "topic" | "pattern", rule: Rule): string | undefined {
  const mistake = findMistakeInRule(rule);
  if (mistake !== undefined) return mistake;
  // mosquitto takes them as they stand there, and tStack would put names in.
  if (word === "topic" && /%[cu]/.test(rule.filter)) {
    return "has %u or %c in a topic, where mosquitto does not put in names: was pattern meant?";
  }
  return undefined;
}

function putDenialsFirst(rules: Rule[] = []): void {
  rules.sort((one, other) => Number(one.deny === undefined) - Number(other.deny === undefined));
}
