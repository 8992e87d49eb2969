/**
 * Writes docs/performance.md and its charts from the results of the last run, without measuring:
 * `node bench/write-performance.ts`. What is hand-written stands in bench/what-helped.md.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { renderCharts } from "./charts.ts";
import { renderPage } from "./report.ts";
import { type Results, readResults } from "./results.ts";

const docs = join(import.meta.dirname, "../docs");

/** All files that a run writes, by their path in docs/. */
export function renderPerformanceFiles(results: Results): Map<string, string> {
  const prose = readFileSync(join(import.meta.dirname, "what-helped.md"), "utf8");
  return new Map([["performance.md", renderPage(results, prose)], ...renderCharts(results)]);
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
