/** What all commands of tuser share: the options that come again and again, and how it talks. */
import { type Command, Option } from "commander";
import type { Rule } from "../../admin/index.ts";
import { UsageError } from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { parseRule } from "./rule-words.ts";

export function gather(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** `--rights`, `--allow` and `--deny`; the rules are in `rules` in the order in which they were given. */
export function addRuleOptions(command: Command, rules: Rule[]): Command {
  const take = (effect: "allow" | "deny" | undefined) => (words: string) => {
    rules.push(parseRule(words, effect));
  };
  return command
    .option(
      "--rights <rule>",
      'a rule: "a/#" allows to publish and subscribe; repeatable',
      take(undefined),
    )
    .option("--allow <rule>", 'as in "publish a/b" or "subscribe a/# qos 0,1"', take("allow"))
    .option(
      "--deny <rule>",
      "the same, to refuse; the first rule that applies decides",
      take("deny"),
    );
}

/** Where a new password comes from. An argument is refused, with the reason. */
export function addPasswordOptions(command: Command): Command {
  return command
    .option("--password-stdin", "read the password from stdin")
    .option("--password-file <file>", "read it from a file (or TSTACK_NEW_PASSWORD holds it)")
    .addOption(
      new Option("--password [password]").hideHelp().argParser(() => {
        throw new UsageError(
          "a password is no argument, since ps shows those to everyone: leave it away to be asked, or give --password-stdin, --password-file FILE or TSTACK_NEW_PASSWORD",
        );
      }),
    );
}

export function printJson(io: ProgramIo, value: unknown): void {
  io.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Talk that is no data: on stderr, so that pipes stay clean. */
export function say(io: ProgramIo, text: string): void {
  io.stderr.write(`tuser: ${text}\n`);
}
