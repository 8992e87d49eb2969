/** PostgreSQL and TimescaleDB: one row for each value, in tables made on first use and a view to ask. */
import type { SinkKind } from "../sink.ts";
import { explainRows } from "./format.ts";
import { readPostgresSettings } from "./settings.ts";
import { PostgresSink } from "./sink.ts";

export const postgresSink: SinkKind = {
  name: "postgres",
  summary: "rows of a PostgreSQL or TimescaleDB database",
  options: [
    {
      flags: "--postgres-url <url>",
      description: "postgres://user@host/database (default: of PGHOST and so on)",
    },
    {
      flags: "--postgres-password <password>",
      description: "of that user",
      environment: "PGPASSWORD",
    },
    { flags: "--postgres-password-file <file>", description: "its first line is the password" },
    {
      flags: "--postgres-table <name>",
      description: "the view of all readings, also schema.name (default: readings)",
    },
  ],
  configure: async (values) => {
    const settings = await readPostgresSettings(values);
    return {
      destination: settings.destination,
      explain: (message) => explainRows(settings.table, message),
      open: async (world) => new PostgresSink(settings, world),
    };
  },
};
