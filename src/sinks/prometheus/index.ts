/** VictoriaMetrics, Prometheus, Mimir and others that take Prometheus' remote write. */

import { toVisible } from "../../base/index.ts";
import type { SinkKind } from "../sink.ts";
import { toSamples, writeSample } from "./format.ts";
import { prometheusOptions, readPrometheusSettings } from "./settings.ts";
import { PrometheusSink } from "./sink.ts";

export const prometheusSink: SinkKind = {
  name: "prometheus",
  summary: "VictoriaMetrics, Prometheus and others, by remote write",
  options: prometheusOptions,
  async configure(values) {
    const settings = await readPrometheusSettings(values);
    return {
      destination: settings.destination,
      explain: (message) =>
        toSamples(message)
          .map((sample) => toVisible(writeSample(sample)))
          .join("\n"),
      open: async (world) => new PrometheusSink(settings, world),
    };
  },
};
