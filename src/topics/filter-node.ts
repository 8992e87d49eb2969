/**
 * The nodes of the subscription tree. Most filters with a wildcard share their first levels with others and their
 * last ones with none, so a branch stands only where filters part: what follows, however deep, is one tail that refers
 * to the filter's text. A tail becomes a branch when a second filter comes through its level.
 */
import { type Entries, hasEntry, withEntry, withoutEntry } from "./entries.ts";
import { findChild, type LevelChildren, withChild, withoutChild } from "./level-children.ts";
import { levelEnd } from "./topic-filter.ts";

export type FilterNode<Entry> = FilterBranch<Entry> | FilterTail<Entry>;

/** A level that filters end at or go on from. */
export class FilterBranch<Entry> {
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

/** A level that only one filter comes through, and all that this filter has after it. */
export class FilterTail<Entry> {
  readonly level: string;
  readonly filter: string;
  /** Where the next level begins in `filter`; beyond its end when there is none. */
  readonly restStart: number;
  entries: Entries<Entry>;

  constructor(filter: string, levelStart: number, entries: Entries<Entry>) {
    const end = levelEnd(filter, levelStart);
    this.level = filter.slice(levelStart, end);
    this.filter = filter;
    this.restStart = end + 1;
    this.entries = entries;
  }
}

export function isEmptyBranch(branch: FilterBranch<unknown>): boolean {
  return (
    branch.entries === undefined &&
    branch.openEntries === undefined &&
    branch.plus === undefined &&
    branch.children === undefined
  );
}

/** The node for a level of a filter: `+` is a level like others here. */
function findNode<Entry>(
  branch: FilterBranch<Entry>,
  level: string,
): FilterNode<Entry> | undefined {
  return level === "+" ? branch.plus : findChild(branch.children, level);
}

/** Puts `node` in the place of its level. */
function putNode<Entry>(branch: FilterBranch<Entry>, node: FilterNode<Entry>): void {
  if (node.level === "+") branch.plus = node;
  else branch.children = withChild(branch.children, node);
}

function dropNode<Entry>(branch: FilterBranch<Entry>, node: FilterNode<Entry>): void {
  if (node.level === "+") branch.plus = undefined;
  else branch.children = withoutChild(branch.children, node);
}

/** Puts a branch in the place of `tail`, which moves one level down. */
function splitTail<Entry>(
  parent: FilterBranch<Entry>,
  tail: FilterTail<Entry>,
): FilterBranch<Entry> {
  const branch = new FilterBranch<Entry>(tail.level);
  const { filter, restStart, entries } = tail;
  if (restStart > filter.length) branch.entries = entries;
  else if (filter[restStart] === "#") branch.openEntries = entries;
  else putNode(branch, new FilterTail<Entry>(filter, restStart, entries));
  putNode(parent, branch);
  return branch;
}

/** Adds an entry below the root of a tree. */
export function growEntry<Entry>(root: FilterBranch<Entry>, filter: string, entry: Entry): void {
  let branch = root;
  let start = 0;
  while (start <= filter.length) {
    if (filter[start] === "#") {
      branch.openEntries = withEntry(branch.openEntries, entry);
      return;
    }
    const end = levelEnd(filter, start);
    const node = findNode(branch, filter.slice(start, end));
    if (node === undefined) {
      putNode(branch, new FilterTail<Entry>(filter, start, entry));
      return;
    }
    if (node instanceof FilterBranch) {
      branch = node;
    } else if (node.filter === filter) {
      node.entries = withEntry(node.entries, entry);
      return;
    } else {
      branch = splitTail(branch, node);
    }
    start = end + 1;
  }
  branch.entries = withEntry(branch.entries, entry);
}

/** Takes an entry out from below the root of a tree, and every branch that is empty then. False when it was not there. */
export function shedEntry<Entry>(root: FilterBranch<Entry>, filter: string, entry: Entry): boolean {
  const path = [root];
  for (let start = 0; start <= filter.length && filter[start] !== "#"; ) {
    const branch = path[path.length - 1];
    const end = levelEnd(filter, start);
    const node = findNode(branch, filter.slice(start, end));
    if (node === undefined) return false;
    if (node instanceof FilterTail) {
      if (node.filter !== filter || !hasEntry(node.entries, entry)) return false;
      node.entries = withoutEntry(node.entries, entry);
      if (node.entries === undefined) dropNode(branch, node);
      prune(path);
      return true;
    }
    path.push(node);
    start = end + 1;
  }
  const last = path[path.length - 1];
  const place = filter.endsWith("#") ? "openEntries" : "entries";
  if (!hasEntry(last[place], entry)) return false;
  last[place] = withoutEntry(last[place], entry);
  prune(path);
  return true;
}

/** Drops the empty branches at the end of a path from the root. */
function prune<Entry>(path: readonly FilterBranch<Entry>[]): void {
  for (let depth = path.length - 1; depth > 0 && isEmptyBranch(path[depth]); depth--) {
    dropNode(path[depth - 1], path[depth]);
  }
}
