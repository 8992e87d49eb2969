/** InfluxDB 1, 2 and 3, and what understands its line protocol over HTTP. */

import { toVisible } from "../../base/index.ts";
import type { SinkKind } from "../sink.ts";
import { writeLine } from "./format.ts";
import { influxdbOptions, readInfluxdbSettings } from "./settings.ts";
import { InfluxdbSink } from "./sink.ts";

export const influxdbSink: SinkKind = {
  name: "influxdb",
  summary: "InfluxDB 1, 2 or 3, by line protocol over HTTP",
  options: influxdbOptions,
  async configure(values) {
    const settings = await readInfluxdbSettings(values);
    return {
      destination: settings.destination,
      explain: ({ readings }) =>
        readings.map((reading) => toVisible(writeLine(reading))).join("\n"),
      open: async (world) => new InfluxdbSink(settings, world),
    };
  },
};
