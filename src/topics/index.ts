export { RetainedTree } from "./retained-tree.ts";
export { SharedGroup } from "./shared-group.ts";
export { SubscriptionTree } from "./subscription-tree.ts";
export {
  filtersOverlap,
  isFilterInside,
  matchesFilter,
  type ParsedFilter,
  parseTopicFilter,
} from "./topic-filter.ts";
export { isValidTopicName } from "./topic-name.ts";
