/**
 * `NAME=PROGRAM ARGUMENT...` as `--command` takes it. Quotes keep words together as in a shell, and nothing else is as in a
 * shell: no variable, no wildcard, no pipe. Who wants one writes `sh -c '...'`.
 */
import { UsageError } from "../client/index.ts";
import { toTopicLevel } from "./topic-level.ts";

export interface NamedCommand {
  /** The level of the topics of its figures. */
  readonly name: string;
  readonly words: readonly string[];
}

export function parseCommand(text: string): NamedCommand {
  const [, name = "", line = ""] = /^([^=\s]+)=(.*)$/su.exec(text) ?? [];
  if (name === "" || line.trim() === "") {
    throw new UsageError(`--command is NAME=PROGRAM ARGUMENT..., not "${text}"`);
  }
  if (toTopicLevel(name) !== name) {
    throw new UsageError(`the name of a command is one level of a topic, which "${name}" is not`);
  }
  return { name, words: splitWords(line) };
}

function splitWords(line: string): string[] {
  const words: string[] = [];
  const pieces = /\s+|'([^']*)'|"((?:\\["\\]|[^"])*)"|([^\s'"]+)/gsuy;
  let word: string | undefined;
  let end = 0;
  for (const [piece, single, double, plain] of line.matchAll(pieces)) {
    end += piece.length;
    const part = single ?? double?.replace(/\\(["\\])/g, "$1") ?? plain;
    if (part !== undefined) word = (word ?? "") + part;
    else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  if (end < line.length) throw new UsageError(`a quote is not closed in --command ...${line}`);
  if (word !== undefined) words.push(word);
  return words;
}
