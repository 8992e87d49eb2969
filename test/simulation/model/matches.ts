/** Topic filters matched in the plainest way there is: what judges the broker shares no code with it. */

export interface SharedName {
  readonly group: string;
  readonly filter: string;
}

/** The parts of `$share/group/filter`; undefined for a filter of a client's own. */
export function parseShared(filter: string): SharedName | undefined {
  const [first, group, ...rest] = filter.split("/");
  return first === "$share" ? { group, filter: rest.join("/") } : undefined;
}

export function matches(filter: string, topic: string): boolean {
  const wanted = (parseShared(filter)?.filter ?? filter).split("/");
  const levels = topic.split("/");
  for (const [index, level] of wanted.entries()) {
    if (level === "#") return true;
    if (index >= levels.length) return false;
    if (level !== "+" && level !== levels[index]) return false;
  }
  return wanted.length === levels.length;
}
