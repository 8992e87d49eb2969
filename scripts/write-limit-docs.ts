/** Writes the table of docs/limits.md from the doc comments and defaults of src/base/limits.ts, and where $SYS counts them. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { defaultLimits, type Limits } from "../src/base/index.ts";
import { figureOfLimit } from "../src/broker/limit-hits.ts";

const root = join(import.meta.dirname, "..");

const pageFile = join(root, "docs/limits.md");
const tableStart = "<!-- written by `npm run format` -->\n";
const tableEnd = "<!-- end -->\n";

/** A doc comment of one line or several, and the property below it. */
const described = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*readonly (\w+):/g;

/** What every limit is for. Throws when one has no comment: nobody would know what happens there. */
export async function readLimitDescriptions(): Promise<Map<string, string>> {
  const source = await readFile(join(root, "src/base/limits.ts"), "utf8");
  const commentOf = new Map(
    Array.from(source.matchAll(described), ([, comment = "", name = ""]) => [
      name,
      comment
        .replace(/^\s*\* ?/gm, "")
        .replaceAll(/\s+/g, " ")
        .trim(),
    ]),
  );
  for (const name of Object.keys(defaultLimits)) {
    if (!commentOf.has(name)) throw new Error(`src/base/limits.ts does not describe ${name}`);
  }
  return commentOf;
}

/** `page` with its table brought up to date. */
export async function renderLimitDocs(page: string): Promise<string> {
  const start = page.indexOf(tableStart);
  const end = page.indexOf(tableEnd);
  if (start === -1 || end < start) throw new Error("docs/limits.md lost the table's marks");
  return `${page.slice(0, start)}${tableStart}\n${await renderTable()}\n${page.slice(end)}`;
}

async function renderTable(): Promise<string> {
  const descriptionOf = await readLimitDescriptions();
  const rows = (Object.keys(defaultLimits) as (keyof Limits)[]).map((name) => {
    const value = defaultLimits[name].toLocaleString("en-US");
    const description = descriptionOf.get(name)?.replaceAll("|", "\\|");
    return `| \`${name}\` | ${value} | ${description} | \`${figureOfLimit(name)}\` |`;
  });
  return [
    "| limit | default | what it bounds, and what happens beyond it | `$SYS/broker/...` |",
    "| --- | ---: | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

if (import.meta.main) {
  await writeFile(pageFile, await renderLimitDocs(await readFile(pageFile, "utf8")));
}
