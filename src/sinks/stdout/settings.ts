/** The options of stdout as a sink. */
import { readChoice } from "../setting-values.ts";
import type { SinkOption, SinkValues } from "../sink.ts";
import { type StdoutFormat, stdoutFormats } from "./format.ts";

export const stdoutOptions: readonly SinkOption[] = [
  {
    flags: "--stdout-format <name>",
    description:
      "text, csv (a line for each message) or json (a line for each reading) (default: text)",
  },
];

export function readStdoutFormat(values: SinkValues): StdoutFormat {
  return readChoice(values, "stdout-format", { choices: stdoutFormats, otherwise: "text" });
}
