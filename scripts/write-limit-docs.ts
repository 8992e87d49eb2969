/** Writes docs/limits.md from the doc comments and defaults of src/base/limits.ts. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { defaultLimits } from "../src/base/index.ts";

const root = join(import.meta.dirname, "..");

const head = `# Limits

Every limit is finite by default. What happens at each of them is told here; nothing is dropped or refused without
being counted.

This page is written by \`npm run format\` from \`src/base/limits.ts\`.

| limit | default | what it bounds, and what happens beyond it |
| --- | ---: | --- |
`;

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

export async function renderLimitDocs(): Promise<string> {
  const descriptionOf = await readLimitDescriptions();
  const rows = Object.entries(defaultLimits).map(([name, value]) => {
    const text = typeof value === "number" ? value.toLocaleString("en-US") : String(value);
    return `| \`${name}\` | ${text} | ${descriptionOf.get(name)?.replaceAll("|", "\\|")} |`;
  });
  return `${head}${rows.join("\n")}\n`;
}

if (import.meta.main) {
  await writeFile(join(root, "docs/limits.md"), await renderLimitDocs());
}
