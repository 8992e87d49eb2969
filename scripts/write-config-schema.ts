/**
 * Writes what is told about the configuration of tserve from its zod schema: docs/tserve.schema.json for editors,
 * and the table of docs/configuration.md. What limits are for comes from src/base/limits.ts.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { listSettings, type Setting } from "../src/cli/serve/configuration-environment.ts";
import { writeJsonSchema } from "../src/cli/serve/configuration-schema.ts";
import { readLimitDescriptions } from "./write-limit-docs.ts";

const docs = join(import.meta.dirname, "../docs");
const schemaFile = join(docs, "tserve.schema.json");
const pageFile = join(docs, "configuration.md");
const tableStart = "<!-- written by `npm run format` -->\n";
const tableEnd = "<!-- end -->\n";

export async function renderConfigurationSchema(): Promise<string> {
  const schema = writeJsonSchema();
  const limits = schema.properties?.limits.properties ?? {};
  const descriptionOf = await readLimitDescriptions();
  const described = Object.entries(limits).map(([name, limit]) => [
    name,
    { description: descriptionOf.get(name), ...limit },
  ]);
  const properties = {
    ...schema.properties,
    limits: { ...schema.properties?.limits, properties: Object.fromEntries(described) },
  };
  return `${JSON.stringify({ ...schema, properties }, undefined, 2)}\n`;
}

/** `page` with its table brought up to date. */
export function renderConfigurationPage(page: string): string {
  const start = page.indexOf(tableStart);
  const end = page.indexOf(tableEnd);
  if (start === -1 || end < start) throw new Error("docs/configuration.md lost the table's marks");
  return `${page.slice(0, start)}${tableStart}\n${renderTable()}\n${page.slice(end)}`;
}

function renderTable(): string {
  const rows = listSettings()
    .filter(({ path }) => path.at(-2) !== "limits")
    .map(renderRow);
  return [
    "| key | variable | default | what it says |",
    "| --- | --- | --- | --- |",
    ...rows,
    "| `limits.*` | `TSTACK_LIMITS_*` | [limits.md](limits.md) | What the broker bears, as `limits.connectionsMax` or `TSTACK_LIMITS_CONNECTIONS_MAX`. |",
    "| `listen[n].limits.*` | `TSTACK_LISTEN_n_LIMITS_*` | | The limits of one listener, as far as [they can be its own](limits.md). |",
    "",
  ].join("\n");
}

function renderRow({ path, variable, schema }: Setting): string {
  const key = path.join(".").replaceAll(".*", "[n]");
  const { default: value, description = "" } = schema;
  const shown = value === undefined ? "" : `\`${JSON.stringify(value).replaceAll('"', "")}\``;
  const words = schema.enum === undefined ? "" : ` One of ${schema.enum.join(", ")}.`;
  const text = `${description}${words}`.replaceAll("|", "\\|");
  return `| \`${key}\` | \`${variable.replaceAll("*", "n")}\` | ${shown} | ${text} |`;
}

if (import.meta.main) {
  await writeFile(schemaFile, await renderConfigurationSchema());
  await writeFile(pageFile, renderConfigurationPage(await readFile(pageFile, "utf8")));
}
