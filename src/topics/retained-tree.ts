/**
 * Values by topic name, found by topic filter: the retained messages. A walk is lazy and keeps no list of what it will
 * find, so it may stand still for hours while values come and go: what stays all the while comes exactly once, what is
 * deleted before its turn does not come, what is set meanwhile may come or not, and the walk ends.
 */
import {
  findChild,
  type LevelChildren,
  listChildren,
  withChild,
  withoutChild,
} from "./level-children.ts";
import { beginsWithDollar, hasWildcard } from "./topic-filter.ts";

class TopicNode<Value> {
  readonly level: string;
  value: Value | undefined = undefined;
  children: LevelChildren<TopicNode<Value>> = undefined;

  constructor(level: string) {
    this.level = level;
  }
}

/** Siblings that a walk has yet to visit, with the filter's levels from `depth` on still to be matched below them. */
interface Siblings<Value> {
  readonly nodes: Iterator<TopicNode<Value>>;
  /** Newcomers stand behind all who were there, so counting to the first size leaves out no one and ends. */
  remaining: number;
  readonly depth: number;
}

export class RetainedTree<Value> {
  readonly #root = new TopicNode<Value>("");
  #size = 0;

  /** Topics with a value. */
  get size(): number {
    return this.#size;
  }

  get(topic: string): Value | undefined {
    let node: TopicNode<Value> | undefined = this.#root;
    for (const level of topic.split("/")) {
      node = findChild<TopicNode<Value>>(node.children, level);
      if (node === undefined) return undefined;
    }
    return node.value;
  }

  /** Returns the value that stood there before. */
  set(topic: string, value: Value): Value | undefined {
    let node = this.#root;
    for (const level of topic.split("/")) {
      let child = findChild(node.children, level);
      if (child === undefined) {
        child = new TopicNode<Value>(level);
        node.children = withChild(node.children, child);
      }
      node = child;
    }
    const previous = node.value;
    node.value = value;
    if (previous === undefined) this.#size++;
    return previous;
  }

  /** Returns the value that stood there. */
  delete(topic: string): Value | undefined {
    const path = [this.#root];
    for (const level of topic.split("/")) {
      const node = findChild(path[path.length - 1].children, level);
      if (node === undefined) return undefined;
      path.push(node);
    }
    const last = path[path.length - 1];
    const previous = last.value;
    if (previous === undefined) return undefined;
    last.value = undefined;
    this.#size--;
    prune(path);
    return previous;
  }

  /** Walks the values whose topics match `filter`, in no order, touching only the branches that the filter needs. */
  *match(filter: string): Generator<Value, void, undefined> {
    for (const value of this.matchInSteps(filter)) if (value !== undefined) yield value;
  }

  /** The same with a bound on each step: `undefined` comes once in every so many nodes, and is a good place to stop. */
  *matchInSteps(filter: string): Generator<Value | undefined, void, undefined> {
    if (!hasWildcard(filter)) {
      const value = this.get(filter);
      if (value !== undefined) yield value;
      return;
    }
    yield* walk(this.#root, filter.split("/"), (level) => !beginsWithDollar(level)); // [MQTT-4.7.2-1]
  }

  /** Walks all values, those of `$` topics too. */
  *all(): Generator<Value, void, undefined> {
    for (const value of walk(this.#root, ["#"], () => true)) if (value !== undefined) yield value;
  }
}

/** Nodes that one step of a walk may pass without a value. */
const stepNodesMax = 1000;

/** `isWanted` is asked where a wildcard stands for the first level. */
function* walk<Value>(
  root: TopicNode<Value>,
  levels: readonly string[],
  isWanted: (level: string) => boolean,
): Generator<Value | undefined, void, undefined> {
  const waiting: Siblings<Value>[] = [enter(root, levels, 0)];
  let passed = 0;
  while (waiting.length > 0) {
    if (++passed % stepNodesMax === 0) yield undefined;
    const siblings = waiting[waiting.length - 1];
    const step = siblings.remaining-- > 0 ? siblings.nodes.next() : undefined;
    if (step === undefined || step.done === true) {
      waiting.pop();
      continue;
    }
    const node = step.value;
    if (waiting.length === 1 && levels[0] !== node.level && !isWanted(node.level)) continue;
    const isEnd = siblings.depth === levels.length || levels[siblings.depth] === "#";
    if (isEnd && node.value !== undefined) yield node.value; // "a/#" matches "a"
    if (siblings.depth < levels.length) waiting.push(enter(node, levels, siblings.depth));
  }
}

/** The children of `node` that level `depth` of the filter lets pass. */
function enter<Value>(
  node: TopicNode<Value>,
  levels: readonly string[],
  depth: number,
): Siblings<Value> {
  const level = levels[depth];
  const isWildcard = level === "+" || level === "#";
  const passing = isWildcard ? node.children : findChild(node.children, level);
  const { nodes, count } = listChildren(passing);
  return { nodes, remaining: count, depth: level === "#" ? depth : depth + 1 };
}

/** Takes the nodes without value and children at the end of a path from the root out of the tree. */
function prune<Value>(path: readonly TopicNode<Value>[]): void {
  for (let depth = path.length - 1; depth > 0; depth--) {
    const node = path[depth];
    if (node.value !== undefined || node.children !== undefined) return;
    const parent = path[depth - 1];
    parent.children = withoutChild(parent.children, node);
  }
}
