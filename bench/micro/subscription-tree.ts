/**
 * What a subscription costs in memory and a match in time, at a million mixed subscriptions in one tree.
 * Run: node --expose-gc bench/micro/subscription-tree.ts [subscriptions]
 * Measured 2026-11-23 on two shared cores of an Intel Xeon, Node 24.21: 169 bytes of heap per subscription (the entry
 * and its filter 101, the tree 68), add 0.65 us, remove 0.50 us, match 2.2 to 2.4 us for topics never seen before,
 * spread over the whole tree: nearly all of it is waiting for memory. With busy neighbours it was up to twice as slow.
 */
import { SubscriptionTree } from "../../src/topics/index.ts";

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

const sites = 1000;

/** Out of ten: five exact, two `#`, two `+`, and one that a hundredth of the site's devices share. */
function filterOf(index: number): string {
  const device = `site/${index % sites}/device/${index}`;
  switch (Math.floor(index / sites) % 10) {
    case 0:
    case 1:
      return `${device}/#`;
    case 2:
      return `${device}/+/set`;
    case 3:
      return `site/+/device/${index}/state`;
    case 4:
      return `site/${index % sites}/alarm/#`;
    default:
      return `${device}/command`;
  }
}

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

function measure(count: number): void {
  const sessions = Array.from({ length: 1000 }, (_, index) => ({ name: `session-${index}` }));
  const entries: Subscription[] = new Array(count);
  const empty = heapBytes();
  for (let index = 0; index < count; index++) {
    entries[index] = new Subscription(sessions[index % 1000], flat(filterOf(index)), index & 3);
  }
  const withEntries = heapBytes();
  const tree = new SubscriptionTree<Subscription>();
  const addStart = performance.now();
  for (const entry of entries) tree.add(entry.filter, entry);
  const addMicroseconds = ((performance.now() - addStart) * 1000) / count;
  const withTree = heapBytes();
  const ofEntries = (withEntries - empty) / count;
  const ofTree = (withTree - withEntries) / count;
  console.log(`${count} subscriptions, ${tree.size} in the tree`);
  console.log(`bytes per subscription: ${Math.round(ofEntries + ofTree)}`);
  console.log(
    `  the entry and its filter ${Math.round(ofEntries)}, the tree ${Math.round(ofTree)}`,
  );
  console.log(`add: ${addMicroseconds.toFixed(2)} us`);
  measureMatches(tree, count);
  const removeStart = performance.now();
  for (const entry of entries) tree.remove(entry.filter, entry);
  const removeMicroseconds = ((performance.now() - removeStart) * 1000) / count;
  console.log(`remove: ${removeMicroseconds.toFixed(2)} us, ${tree.size} left`);
  const left = (heapBytes() - withEntries) / count;
  console.log(`bytes per subscription left behind: ${left.toFixed(1)}`);
  if (entries.length !== count) throw new Error("the entries must live until here");
}

/** The best of three passes, each with topics never seen before: machines are shared and noisy. */
function measureMatches(tree: SubscriptionTree<Subscription>, count: number): void {
  for (const tail of ["command", "state", "lamp/set", "x/y/z"]) {
    const passes = [0, 1, 2].map((pass) => measurePass(tree, topicsEndingIn(tail, count, pass)));
    const microseconds = Math.min(...passes.map((pass) => pass.microseconds));
    const found = passes[0].found.toFixed(2);
    console.log(`match .../${tail}: ${microseconds.toFixed(2)} us, ${found} entries each`);
  }
}

/** A stride prime to the count visits devices all over the tree. */
function topicsEndingIn(tail: string, count: number, pass: number): string[] {
  return Array.from({ length: 200_000 }, (_, index) => {
    const device = (pass + index * 7919) % count;
    return flat(`site/${device % sites}/device/${device}/${tail}`);
  });
}

function measurePass(
  tree: SubscriptionTree<Subscription>,
  topics: readonly string[],
): { microseconds: number; found: number } {
  const into: Subscription[] = [];
  let found = 0;
  const start = performance.now();
  for (const topic of topics) {
    tree.match(topic, into);
    found += into.length;
    into.length = 0;
  }
  const microseconds = ((performance.now() - start) * 1000) / topics.length;
  return { microseconds, found: found / topics.length };
}

measure(Number(process.argv[2] ?? 1_000_000));
