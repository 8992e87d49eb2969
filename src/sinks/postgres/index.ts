/** PostgreSQL and TimescaleDB: one row for each value, in tables made on first use and a view to ask. */
import type { SinkKind } from "../sink.ts";
import { explainRows } from "./format.ts";
import { postgresOptions, readPostgresSettings } from "./settings.ts";
import { PostgresSink } from "./sink.ts";

export const postgresSink: SinkKind = {
  name: "postgres",
  summary: "rows of a PostgreSQL or TimescaleDB database",
  options: postgresOptions,
  configure: async (values) => {
    const settings = await readPostgresSettings(values);
    return {
      destination: settings.destination,
      explain: (message) => explainRows(settings.table, message),
      open: async (world) => new PostgresSink(settings, world),
    };
  },
};
