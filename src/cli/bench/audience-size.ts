/** How many deliveries each publisher's message makes, from the topics and filters of a run. */
import { parseTopicFilter, SubscriptionTree } from "../../topics/index.ts";

/**
 * @param filters of each subscriber; those with the same `$share/group/` and filter get each message once, together.
 * @returns for each topic the number of deliveries.
 */
export function countDeliveries(topics: readonly string[], filters: readonly string[]): number[] {
  const tree = new SubscriptionTree<number>();
  const groups = new Set<string>();
  for (const [index, text] of filters.entries()) {
    const parsed = parseTopicFilter(text, Number.POSITIVE_INFINITY);
    if (parsed === undefined || groups.has(text)) continue;
    if (parsed.group !== undefined) groups.add(text);
    tree.add(parsed.filter, index);
  }
  const counts = new Map<string, number>();
  return topics.map((topic) => {
    let count = counts.get(topic);
    if (count === undefined) {
      const matches: number[] = [];
      tree.match(topic, matches);
      count = matches.length;
      counts.set(topic, count);
    }
    return count;
  });
}
