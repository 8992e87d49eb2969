/**
 * Who subscribed to what: entries by topic filter, found by topic name. Filters without a wildcard stand in a map by
 * their whole text, the others in a tree of levels. Nothing stays behind when an entry goes: empty branches are pruned.
 * Filters and topics must be valid; walks are loops, so the number of levels is no danger.
 */
import { appendEntries, type Entries, hasEntry, withEntry, withoutEntry } from "./entries.ts";
import { FilterBranch, type FilterNode, FilterTail, growEntry, shedEntry } from "./filter-node.ts";
import { findChild } from "./level-children.ts";
import { beginsWithDollar, hasWildcard, levelEnd, matchesFrom } from "./topic-filter.ts";

export class SubscriptionTree<Entry> {
  readonly #exact = new Map<string, Entries<Entry>>();
  readonly #root = new FilterBranch<Entry>("");
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
    growEntry(this.#root, filter, entry);
  }

  /** False when the entry was not there with this filter. */
  remove(filter: string, entry: Entry): boolean {
    const isWildcard = hasWildcard(filter);
    const isRemoved = isWildcard
      ? shedEntry(this.#root, filter, entry)
      : this.#removeExact(filter, entry);
    if (!isRemoved) return false;
    this.#size--;
    if (isWildcard) this.#wildcardGeneration++;
    return true;
  }

  /** Appends every entry whose filter matches, once for each matching filter, in no order. 3.1.1: [MQTT-3.8.3-2] */
  match(topic: string, into: Entry[]): void {
    appendEntries(this.#exact.get(topic), into);
    const isDollar = beginsWithDollar(topic);
    let reached: FilterNode<Entry>[] = [this.#root];
    for (let start = 0; reached.length > 0; ) {
      const isEnd = start > topic.length;
      const end = isEnd ? start : levelEnd(topic, start);
      const level = topic.slice(start, end);
      const next: FilterNode<Entry>[] = [];
      for (const node of reached) {
        if (node instanceof FilterTail) {
          if (matchesFrom(node.filter, node.restStart, topic, start)) {
            appendEntries(node.entries, into);
          }
          continue;
        }
        const mayBeWildcard = !isDollar || start > 0; // [MQTT-4.7.2-1], 3.1.1: [MQTT-4.7.2-1]
        if (mayBeWildcard) appendEntries(node.openEntries, into); // "a/#" matches "a" too
        if (isEnd) {
          appendEntries(node.entries, into);
          continue;
        }
        if (mayBeWildcard && node.plus !== undefined) next.push(node.plus);
        const child = findChild(node.children, level);
        if (child !== undefined) next.push(child);
      }
      reached = next;
      start = end + 1;
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
}
