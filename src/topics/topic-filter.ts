/**
 * Topic filters: what a subscription or a right asks for, and how filters relate to names and to each other.
 * Only `parseTopicFilter` takes text that may be wrong; every other function trusts its arguments to be
 * valid filters (without `$share/group/`) and valid topic names.
 */

const slash = 0x2f;
const plus = 0x2b;
const hash = 0x23;
const dollar = 0x24;
const sharePrefix = "$share/";

export interface ParsedFilter {
  /** The filter that topics are matched against: without `$share/group/`. */
  readonly filter: string;
  /** The share name, or undefined for a subscription that is not shared. */
  readonly group: string | undefined;
  readonly hasWildcard: boolean;
}

/**
 * Reads a filter as it came in SUBSCRIBE or UNSUBSCRIBE; undefined when the standard does not allow it
 * or it has more than `levelsMax` levels (those of `$share/group/` do not count).
 *
 * @example
 * parseTopicFilter("$share/workers/jobs/#", 128); // { filter: "jobs/#", group: "workers", hasWildcard: true }
 * parseTopicFilter("jobs/#/late", 128); // undefined
 */
export function parseTopicFilter(filter: string, levelsMax: number): ParsedFilter | undefined {
  if (!filter.startsWith(sharePrefix)) return parsePlain(filter, undefined, levelsMax);
  const groupEnd = filter.indexOf("/", sharePrefix.length);
  if (groupEnd === -1) return undefined; // no filter follows [MQTT-4.8.2-2]
  const group = filter.slice(sharePrefix.length, groupEnd);
  if (group.length === 0) return undefined; // [MQTT-4.8.2-1]
  if (/[+#\0]/.test(group)) return undefined; // [MQTT-4.8.2-2] [MQTT-4.7.3-2]
  return parsePlain(filter.slice(groupEnd + 1), group, levelsMax);
}

function parsePlain(
  filter: string,
  group: string | undefined,
  levelsMax: number,
): ParsedFilter | undefined {
  const end = filter.length;
  if (end === 0) return undefined; // [MQTT-4.7.3-1], 3.1.1: [MQTT-4.7.3-1]
  let levels = 1;
  let hasWildcard = false;
  for (let index = 0; index < end; index++) {
    const unit = filter.charCodeAt(index);
    if (unit === slash) {
      levels++;
    } else if (unit === hash) {
      if (index !== end - 1 || !beginsLevel(filter, index)) return undefined; // [MQTT-4.7.1-1], 3.1.1: [MQTT-4.7.1-2]
      hasWildcard = true;
    } else if (unit === plus) {
      if (!beginsLevel(filter, index) || !endsLevel(filter, index)) return undefined; // [MQTT-4.7.1-2], 3.1.1: [MQTT-4.7.1-3]
      hasWildcard = true;
    } else if (unit === 0) {
      return undefined; // [MQTT-4.7.3-2], 3.1.1: [MQTT-4.7.3-2]
    }
  }
  return levels <= levelsMax ? { filter, group, hasWildcard } : undefined;
}

function beginsLevel(filter: string, index: number): boolean {
  return index === 0 || filter.charCodeAt(index - 1) === slash;
}

function endsLevel(filter: string, index: number): boolean {
  return index === filter.length - 1 || filter.charCodeAt(index + 1) === slash;
}

/** Whether a valid filter has `+` or `#`; in a valid filter they are nothing but wildcards. */
export function hasWildcard(filter: string): boolean {
  return filter.includes("+") || filter.endsWith("#");
}

/** Whether `text` begins with `$`: such topics are not for filters that begin with a wildcard. */
export function beginsWithDollar(text: string): boolean {
  return text.charCodeAt(0) === dollar;
}

function beginsWithWildcard(filter: string): boolean {
  const unit = filter.charCodeAt(0);
  return unit === plus || unit === hash;
}

/**
 * Whether a message to `topic` is for a subscription to `filter`.
 *
 * @example
 * matchesFilter("sport/#", "sport"); // true
 * matchesFilter("#", "$SYS/broker/uptime"); // false
 */
export function matchesFilter(filter: string, topic: string): boolean {
  if (beginsWithWildcard(filter) && beginsWithDollar(topic)) return false; // [MQTT-4.7.2-1], 3.1.1: [MQTT-4.7.2-1]
  return matchesFrom(filter, 0, topic, 0);
}

/**
 * Whether the levels of `filter` from `filterStart` match those of `topic` from `topicStart`. Both must be where
 * a level begins, or one past the end of the text where no level is left. Knows nothing of `$`.
 */
export function matchesFrom(
  filter: string,
  filterStart: number,
  topic: string,
  topicStart: number,
): boolean {
  let filterAt = filterStart;
  let topicAt = topicStart;
  while (filterAt <= filter.length) {
    const unit = filter.charCodeAt(filterAt);
    if (unit === hash) return true; // the parent level too: "a/#" matches "a"
    if (topicAt > topic.length) return false;
    const topicEnd = levelEnd(topic, topicAt);
    if (unit === plus) {
      filterAt += 2;
    } else {
      const filterEnd = levelEnd(filter, filterAt);
      if (filterEnd - filterAt !== topicEnd - topicAt) return false;
      while (filterAt < filterEnd) {
        if (filter.charCodeAt(filterAt++) !== topic.charCodeAt(topicAt++)) return false;
      }
      filterAt++;
    }
    topicAt = topicEnd + 1;
  }
  return topicAt > topic.length;
}

/** Where the level that begins at `start` ends: the index of its slash, or of the text's end. */
export function levelEnd(text: string, start: number): number {
  const end = text.indexOf("/", start);
  return end === -1 ? text.length : end;
}

/** A filter as the levels before its `#` and whether it has one. */
interface Shape {
  readonly levels: string[];
  readonly isOpen: boolean;
}

/**
 * `#` becomes `+/#` and `/#` becomes `/+/#`: they match the same topics, because a topic has at least
 * one level and its only level is not empty.
 */
function toShape(filter: string): Shape {
  if (filter === "#") return { levels: ["+"], isOpen: true };
  if (filter === "/#") return { levels: ["", "+"], isOpen: true };
  const levels = filter.split("/");
  const isOpen = levels.at(-1) === "#";
  if (isOpen) levels.pop();
  return { levels, isOpen };
}

/** One begins with a wildcard and the other with `$`: no topic is for both [MQTT-4.7.2-1]. */
function areApartByDollar(a: string, b: string): boolean {
  return (
    (beginsWithDollar(a) && beginsWithWildcard(b)) || (beginsWithWildcard(a) && beginsWithDollar(b))
  );
}

/**
 * Whether every topic that `inner` matches is matched by `outer`: a right to `outer` covers a subscription to `inner`.
 *
 * @example
 * isFilterInside("home/+", "home/#"); // true
 * isFilterInside("home/#", "home/+"); // false
 */
export function isFilterInside(inner: string, outer: string): boolean {
  if (areApartByDollar(inner, outer)) return false;
  const inside = toShape(inner);
  const around = toShape(outer);
  if (around.isOpen) {
    if (inside.levels.length < around.levels.length) return false;
  } else if (inside.isOpen || inside.levels.length !== around.levels.length) {
    return false;
  }
  return around.levels.every((level, index) => level === "+" || level === inside.levels[index]);
}

/**
 * Whether some topic matches both filters.
 *
 * @example
 * filtersOverlap("+/lamp", "kitchen/#"); // true
 * filtersOverlap("#", "$SYS/#"); // false
 */
export function filtersOverlap(a: string, b: string): boolean {
  if (areApartByDollar(a, b)) return false;
  const left = toShape(a);
  const right = toShape(b);
  if (left.levels.length < right.levels.length && !left.isOpen) return false;
  if (right.levels.length < left.levels.length && !right.isOpen) return false;
  const common = Math.min(left.levels.length, right.levels.length);
  for (let index = 0; index < common; index++) {
    const leftLevel = left.levels[index];
    const rightLevel = right.levels[index];
    if (leftLevel !== "+" && rightLevel !== "+" && leftLevel !== rightLevel) return false;
  }
  return true;
}
