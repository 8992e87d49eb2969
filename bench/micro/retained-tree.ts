/**
 * `RetainedTree` with 100,000 topics: the value of one topic, a value set anew, and the matches of filters with `+`
 * and `#` that find one topic in a hundred and a hundred topics.
 * Measured 2026-11-23 on two shared cores of an Intel Xeon, Node 24.21: 0.25 us, 0.27 us, 0.8 us and 14 us.
 */
import { RetainedTree } from "../../src/topics/index.ts";
import { type MicroTask, measureTasks } from "./stopwatch.ts";

const sites = 1000;
const devicesEach = 100;
const operations = 100;
const tree = new RetainedTree<number>();
const topics: string[] = [];
for (let site = 0; site < sites; site++) {
  for (let device = 0; device < devicesEach; device++) {
    const topic = `site/${site}/device/${device}/state`;
    tree.set(topic, topics.length);
    topics.push(topic);
  }
}
/** A stride prime to the count visits topics all over the tree. */
const visited = Array.from({ length: operations }, (_, i) => topics[(i * 7919) % topics.length]);
let found = 0;

function matchTask(name: string, filters: readonly string[]): MicroTask {
  const run = () => {
    for (const filter of filters) for (const value of tree.match(filter)) found += value & 1;
  };
  return { name, unit: "filter", operations, run };
}

await measureTasks(import.meta.filename, [
  {
    name: "get",
    unit: "topic",
    operations,
    run: () => {
      for (const topic of visited) found += (tree.get(topic) ?? 0) & 1;
    },
  },
  {
    name: "set, where a value stands",
    unit: "topic",
    operations,
    run: () => {
      for (const topic of visited) tree.set(topic, 1);
    },
  },
  matchTask(
    "match a filter with +, 1 topic found",
    visited.map((topic) => topic.replace("device", "+")),
  ),
  matchTask(
    "match a filter with #, 100 topics found",
    visited.map((topic) => topic.replace(/device.*/, "#")),
  ),
]);
if (found === 0) throw new Error("nothing was found");
