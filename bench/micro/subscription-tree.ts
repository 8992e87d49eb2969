/**
 * What a subscription costs in memory and a match in time, at a million mixed filters in one `SubscriptionTree`, with
 * topics all over the tree: nearly all of a match is waiting for memory.
 * Run: node --expose-gc bench/micro/subscription-tree.ts [--subscriptions 1000000]
 * Measured 2026-11-23 on two shared cores of an Intel Xeon, Node 24.21: 169 bytes of heap per subscription (the entry
 * and its filter 101, the tree 68), add 0.65 us, remove 0.50 us, match 2.2 to 2.4 us. With busy neighbours it is two
 * to four times as slow.
 */
import { parseArgs } from "node:util";
import { SubscriptionTree } from "../../src/topics/index.ts";
import { filterOf, sites } from "../filters.ts";
import type { TreeFigures } from "../results.ts";
import { type MicroTask, print, timeCalls } from "./stopwatch.ts";

interface Session {
  readonly name: string;
}

/** Roughly what the broker keeps for a subscription; its bytes count. */
class Subscription {
  readonly session: Session;
  readonly filter: string;
  readonly options: number;
  readonly identifier: number;

  constructor(session: Session, filter: string, options: number) {
    this.session = session;
    this.filter = filter;
    this.options = options;
    this.identifier = 0;
  }
}

const { values } = parseArgs({
  options: {
    subscriptions: { type: "string", default: "1000000" },
    json: { type: "boolean" },
  },
});
const count = Number(values.subscriptions);
/** Calls of each task, and so samples. */
const calls = 100;
const topicsEach = 2000;

/** Texts as they come off the wire: flat, not pieces of others. */
function flat(text: string): string {
  return Buffer.from(text).toString();
}

function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error("run with node --expose-gc");
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

/** All entries in `calls` parts, one after the other. */
function eachTask(
  name: string,
  entries: readonly Subscription[],
  work: (entry: Subscription) => void,
): MicroTask {
  const operations = count / calls;
  let next = 0;
  const run = () => {
    for (let i = 0; i < operations; i++) work(entries[next++]);
  };
  return { name, unit: "subscription", operations, run };
}

interface MatchTask extends MicroTask {
  readonly topics: string;
  found: number;
}

/** Topics that were not asked for before: a stride prime to the count visits devices all over the tree. */
function matchTask(tree: SubscriptionTree<Subscription>, tail: string): MatchTask {
  const topics = Array.from({ length: calls * topicsEach }, (_, index) => {
    const device = (index * 7919) % count;
    return flat(`site/${device % sites}/device/${device}/${tail}`);
  });
  const into: Subscription[] = [];
  let next = 0;
  const task: MatchTask = {
    name: `match .../${tail}`,
    topics: `.../${tail}`,
    unit: "topic",
    operations: topicsEach,
    found: 0,
    run: () => {
      for (let i = 0; i < topicsEach; i++) {
        tree.match(topics[next++], into);
        task.found += into.length;
        into.length = 0;
      }
    },
  };
  return task;
}

const sessions = Array.from({ length: 1000 }, (_, index) => ({ name: `session-${index}` }));
const entries: Subscription[] = new Array(count);
const empty = heapBytes();
for (let index = 0; index < count; index++) {
  entries[index] = new Subscription(sessions[index % 1000], flat(filterOf(index)), index & 3);
}
const withEntries = heapBytes();
const tree = new SubscriptionTree<Subscription>();
const file = import.meta.filename;
const adding = eachTask("add", entries, (entry) => tree.add(entry.filter, entry));
const [added] = await timeCalls(file, [adding], calls);
const treeBytes = (heapBytes() - withEntries) / count;
if (tree.size !== count) throw new Error(`${tree.size} of ${count} are in the tree`);

const matchTasks = ["command", "state", "lamp/set", "x/y/z"].map((tail) => matchTask(tree, tail));
const matched = await timeCalls(file, matchTasks, calls);
const matches = matchTasks.map(({ topics, found }, index) => ({
  topics,
  microseconds: matched[index].nanoseconds / 1000,
  entries: found / (calls * topicsEach),
}));
matchTasks.length = 0;

const beforeRemoval = heapBytes();
const removing = eachTask("remove", entries, (entry) => tree.remove(entry.filter, entry));
const [removed] = await timeCalls(file, [removing], calls);
if (tree.size !== 0) throw new Error(`${tree.size} are left in the tree`);
const figures: TreeFigures = {
  subscriptions: count,
  entryBytes: (withEntries - empty) / count,
  treeBytes,
  bytesLeftBehind: treeBytes - (beforeRemoval - heapBytes()) / count,
  addMicroseconds: added.nanoseconds / 1000,
  removeMicroseconds: removed.nanoseconds / 1000,
  matches,
};
print([added, ...matched, removed], figures);
if (entries.length !== count) throw new Error("the entries must live until here");
