import { toVisible } from "../../base/index.ts";
import type { SinkKind } from "../sink.ts";
import { formatLines } from "./format.ts";
import { readStdoutFormat, stdoutOptions } from "./settings.ts";
import { StdoutSink } from "./sink.ts";

export const stdoutSink: SinkKind = {
  name: "stdout",
  summary: "prints what comes: for people, as CSV or as JSON lines",
  options: stdoutOptions,
  async configure(values) {
    const format = readStdoutFormat(values);
    return {
      destination: `stdout as ${format}`,
      // The lines of the original: when, where and what, which no mapping has a say in.
      ...(format === "csv" && { takesMessages: true as const }),
      explain: (message) => formatLines[format](message).map(toVisible).join("\n"),
      open: async ({ stdout }) => new StdoutSink(stdout, format),
    };
  },
};
