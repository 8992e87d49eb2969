/** How many deliveries each publisher's message makes, from the topics and filters of a run. */
import { SubscriptionTree } from "../../topics/index.ts";

/**
 * @param filters of each subscriber, without `$share/group/`.
 * @param isShared subscribers with the same filters get each message once, together.
 * @returns for each topic the number of deliveries.
 */
export function countDeliveries(
  topics: readonly string[],
  filters: readonly string[],
  isShared: boolean,
): number[] {
  const tree = new SubscriptionTree<number>();
  for (const [index, filter] of (isShared ? [...new Set(filters)] : filters).entries()) {
    tree.add(filter, index);
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
