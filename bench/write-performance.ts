/**
 * Writes docs/performance.md, its charts, and the figures of docs/durability.md from the results of the last run, without
 * measuring: `node bench/write-performance.ts`. What is hand-written stands in bench/what-helped.md, and in
 * docs/durability.md around the markers.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { renderCharts } from "./charts.ts";
import { renderPage } from "./report.ts";
import { putFigures, renderDurability } from "./report-durability.ts";
import { type Results, readResults } from "./results.ts";

const docs = join(import.meta.dirname, "../docs");
const durabilityPage = "durability.md";

/** All files that a run writes, by their path in docs/. */
export function renderPerformanceFiles(results: Results): Map<string, string> {
  const prose = readFileSync(join(import.meta.dirname, "what-helped.md"), "utf8");
  const files = new Map([["performance.md", renderPage(results, prose)], ...renderCharts(results)]);
  const page = join(docs, durabilityPage);
  const figures = renderDurability(results);
  if (figures !== undefined && existsSync(page))
    files.set(durabilityPage, putFigures(readFileSync(page, "utf8"), figures));
  return files;
}

export function writePerformancePage(results: Results): void {
  for (const [path, text] of renderPerformanceFiles(results)) {
    const file = join(docs, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

if (import.meta.main) {
  const results = readResults();
  if (results === undefined) throw new Error("nothing was measured yet: npm run bench");
  writePerformancePage(results);
}
