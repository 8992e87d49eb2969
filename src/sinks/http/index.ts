import { toVisible } from "../../base/index.ts";
import type { SinkKind } from "../sink.ts";
import { formatBody } from "./format.ts";
import { httpOptions, readHttpSettings } from "./settings.ts";
import { describeWebhook, HttpSink } from "./sink.ts";

export const httpSink: SinkKind = {
  name: "http",
  summary: "posts batches of JSON to a webhook, signed where there is a secret",
  options: httpOptions,
  async configure(values) {
    const settings = await readHttpSettings(values);
    return {
      destination: describeWebhook(settings),
      explain(message) {
        if (message.readings.length === 0) return "";
        const lines = formatBody([message], settings.format).trimEnd().split("\n");
        return lines.map(toVisible).join("\n");
      },
      open: async (world) => new HttpSink(settings, world),
    };
  },
};
