import { toVisible } from "../../base/index.ts";
import type { SinkKind } from "../sink.ts";
import { formatRecords } from "./format.ts";
import { fileOptions, readFileSettings } from "./settings.ts";
import { FileSink } from "./sink.ts";

export const fileSink: SinkKind = {
  name: "file",
  summary: "appends to a CSV or JSON lines file, and begins new ones",
  options: fileOptions,
  async configure(values) {
    const settings = readFileSettings(values);
    const { path, format } = settings;
    return {
      destination: `file ${path} as ${format}`,
      explain(message) {
        const { text } = formatRecords[format]([message]);
        return text.split("\n").slice(0, -1).map(toVisible).join("\n");
      },
      open: async (world) => new FileSink(settings, world),
    };
  },
};
