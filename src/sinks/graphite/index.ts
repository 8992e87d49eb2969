import type { SinkKind } from "../sink.ts";
import { createPointMaker, toLine } from "./format.ts";
import { graphiteOptions, readGraphiteSettings } from "./settings.ts";
import { describeGraphite, GraphiteSink } from "./sink.ts";

export const graphiteSink: SinkKind = {
  name: "graphite",
  summary: "sends numbers to carbon, by its plaintext or pickle protocol",
  options: graphiteOptions,
  async configure(values) {
    const settings = readGraphiteSettings(values);
    const makePoints = createPointMaker(settings);
    return {
      destination: describeGraphite(settings),
      explain(message) {
        const { points, refusal } = makePoints(message);
        return refusal === undefined ? points.map(toLine).join("\n") : `refused: ${refusal}`;
      },
      open: async (world) => new GraphiteSink(settings, world),
    };
  },
};
