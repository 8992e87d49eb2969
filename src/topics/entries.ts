/**
 * What stands at one filter: nothing, one entry, or several. One entry costs nothing beyond itself,
 * a few a list of exactly their number, and many a set, so that leaving is fast among thousands.
 */

const fewMax = 8;

class Several<Entry> {
  all: readonly Entry[] | Set<Entry>;

  constructor(all: readonly Entry[]) {
    this.all = all;
  }
}

export type Entries<Entry> = Entry | Several<Entry> | undefined;

/** `entries` with `entry`, which must not be in it. */
export function withEntry<Entry>(entries: Entries<Entry>, entry: Entry): Entries<Entry> {
  if (entries === undefined) return entry;
  if (!(entries instanceof Several)) return new Several([entries, entry]);
  if (entries.all instanceof Set) entries.all.add(entry);
  else if (entries.all.length < fewMax)
    entries.all = entries.all.concat([entry]); // exactly as long as it must be
  else entries.all = new Set(entries.all).add(entry);
  return entries;
}

/** `entries` without `entry`, which must be in it. */
export function withoutEntry<Entry>(entries: Entries<Entry>, entry: Entry): Entries<Entry> {
  if (!(entries instanceof Several)) return undefined;
  if (entries.all instanceof Set) {
    entries.all.delete(entry);
    if (entries.all.size <= fewMax / 2) entries.all = [...entries.all];
    return entries;
  }
  const rest = entries.all.filter((other) => other !== entry);
  if (rest.length === 1) return rest[0];
  entries.all = rest;
  return entries;
}

export function hasEntry<Entry>(entries: Entries<Entry>, entry: Entry): boolean {
  if (!(entries instanceof Several)) return entries === entry;
  return entries.all instanceof Set ? entries.all.has(entry) : entries.all.includes(entry);
}

export function appendEntries<Entry>(entries: Entries<Entry>, into: Entry[]): void {
  if (entries === undefined) return;
  if (!(entries instanceof Several)) into.push(entries);
  else for (const entry of entries.all) into.push(entry);
}
