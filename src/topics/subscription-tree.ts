/**
 * Who subscribed to what: entries by topic filter, found by topic name. Filters without a wildcard stand in a map by
 * their whole text, the others in a tree of levels. Nothing stays behind when an entry goes: empty branches are pruned.
 * Filters and topics must be valid; walks are loops, so the number of levels is no danger.
 */
import { appendEntries, type Entries, hasEntry, withEntry, withoutEntry } from "./entries.ts";
import { findChild, type LevelChildren, withChild, withoutChild } from "./level-children.ts";
import { beginsWithDollar, hasWildcard, levelEnd } from "./topic-filter.ts";

class FilterNode<Entry> {
  readonly level: string;
  /** Of the filter that ends here. */
  entries: Entries<Entry> = undefined;
  /** Of the filter that goes on with `#` and ends. */
  openEntries: Entries<Entry> = undefined;
  plus: FilterNode<Entry> | undefined = undefined;
  children: LevelChildren<FilterNode<Entry>> = undefined;

  constructor(level: string) {
    this.level = level;
  }
}

function isEmpty(node: FilterNode<unknown>): boolean {
  return (
    node.entries === undefined &&
    node.openEntries === undefined &&
    node.plus === undefined &&
    node.children === undefined
  );
}

export class SubscriptionTree<Entry> {
  readonly #exact = new Map<string, Entries<Entry>>();
  readonly #root = new FilterNode<Entry>("");
  #size = 0;
  #wildcardGeneration = 0;

  /** Entries in the tree. */
  get size(): number {
    return this.#size;
  }

  /** Changes with every entry that comes or goes with a wildcard in its filter: the matches of any topic may be others then. */
  get wildcardGeneration(): number {
    return this.#wildcardGeneration;
  }

  /** The entry must not be there with the same filter already. */
  add(filter: string, entry: Entry): void {
    this.#size++;
    if (!hasWildcard(filter)) {
      this.#exact.set(filter, withEntry(this.#exact.get(filter), entry));
      return;
    }
    this.#wildcardGeneration++;
    let node = this.#root;
    for (const level of filter.split("/")) {
      if (level === "#") {
        node.openEntries = withEntry(node.openEntries, entry);
        return;
      }
      node = growChild(node, level);
    }
    node.entries = withEntry(node.entries, entry);
  }

  /** False when the entry was not there with this filter. */
  remove(filter: string, entry: Entry): boolean {
    const isRemoved = hasWildcard(filter)
      ? this.#removeFromTree(filter, entry)
      : this.#removeExact(filter, entry);
    if (isRemoved) this.#size--;
    return isRemoved;
  }

  /** Appends every entry whose filter matches, once for each matching filter, in no order. */
  match(topic: string, into: Entry[]): void {
    appendEntries(this.#exact.get(topic), into);
    const isDollar = beginsWithDollar(topic);
    let nodes = [this.#root];
    for (let start = 0; start <= topic.length && nodes.length > 0; ) {
      const end = levelEnd(topic, start);
      const level = topic.slice(start, end);
      const next: FilterNode<Entry>[] = [];
      for (const node of nodes) {
        if (!isDollar || start > 0) {
          appendEntries(node.openEntries, into); // [MQTT-4.7.2-1]
          if (node.plus !== undefined) next.push(node.plus); // [MQTT-4.7.2-1]
        }
        const child = findChild(node.children, level);
        if (child !== undefined) next.push(child);
      }
      nodes = next;
      start = end + 1;
    }
    for (const node of nodes) {
      appendEntries(node.entries, into);
      appendEntries(node.openEntries, into); // "a/#" matches "a"
    }
  }

  #removeExact(filter: string, entry: Entry): boolean {
    const entries = this.#exact.get(filter);
    if (!hasEntry(entries, entry)) return false;
    const rest = withoutEntry(entries, entry);
    if (rest === undefined) this.#exact.delete(filter);
    else this.#exact.set(filter, rest);
    return true;
  }

  #removeFromTree(filter: string, entry: Entry): boolean {
    const path = [this.#root];
    let isOpen = false;
    for (const level of filter.split("/")) {
      if (level === "#") {
        isOpen = true;
        break;
      }
      const parent = path[path.length - 1];
      const node = level === "+" ? parent.plus : findChild(parent.children, level);
      if (node === undefined) return false;
      path.push(node);
    }
    const last = path[path.length - 1];
    const entries = isOpen ? last.openEntries : last.entries;
    if (!hasEntry(entries, entry)) return false;
    if (isOpen) last.openEntries = withoutEntry(entries, entry);
    else last.entries = withoutEntry(entries, entry);
    prune(path);
    this.#wildcardGeneration++;
    return true;
  }
}

function growChild<Entry>(node: FilterNode<Entry>, level: string): FilterNode<Entry> {
  if (level === "+") {
    node.plus ??= new FilterNode<Entry>(level);
    return node.plus;
  }
  let child = findChild(node.children, level);
  if (child === undefined) {
    child = new FilterNode<Entry>(level);
    node.children = withChild(node.children, child);
  }
  return child;
}

/** Takes the empty nodes at the end of a path from the root out of the tree. */
function prune<Entry>(path: readonly FilterNode<Entry>[]): void {
  for (let depth = path.length - 1; depth > 0; depth--) {
    const node = path[depth];
    if (!isEmpty(node)) return;
    const parent = path[depth - 1];
    if (parent.plus === node) parent.plus = undefined;
    else parent.children = withoutChild(parent.children, node);
  }
}
