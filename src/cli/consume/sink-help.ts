/**
 * What the help says of sinks: a line for each, and the options of those that the command line names. Options of all of
 * them would be ten screens.
 */
import type { Command } from "commander";
import type { SinkKind } from "../../sinks/index.ts";
import { namesOfSinks } from "./sink-choice.ts";

export function describeSinks(kinds: readonly SinkKind[]): string {
  const width = Math.max(...kinds.map(({ name }) => name.length));
  const lines = kinds.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    "Writes the messages of topics to databases, files and other places:",
    "",
    ...lines,
    "",
    "tconsume --sink NAME --help lists the options of one of them, and",
    "tconsume query --help those of questions to what sqlite holds.",
  ].join("\n");
}

/** Only for the help: everywhere else all options are there, also to be suggested for a slip. */
export function hideOptionsOfOthers(command: Command, kinds: readonly SinkKind[]): void {
  command.on("beforeHelp", () => {
    const names = namesOfSinks(command.getOptionValue("sink"));
    const others = kinds.filter(({ name }) => !names.includes(name));
    const hidden = new Set(others.flatMap(({ options }) => options.map(({ flags }) => flags)));
    for (const option of command.options) if (hidden.has(option.flags)) option.hideHelp();
  });
}
