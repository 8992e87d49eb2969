/**
 * Names of the machine's parts as levels of topics: whatever a disk, an interface or a container is called, its figures stay
 * below the machine's name, and no name makes a wildcard, another level, or an empty one.
 */

const charactersMax = 100;
/** Wildcards, separators, and what no terminal shows: it has no place in a topic. */
const unsafe = /[+#/\\\s\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]+/gu;

/** One level of a topic; `/mnt/my data` becomes `mnt-my-data`. Never empty, never with `$` at its front. */
export function toTopicLevel(name: string): string {
  const level = name
    .toWellFormed()
    .slice(0, charactersMax)
    .toWellFormed()
    .replace(unsafe, "-")
    .replace(/^[-$]+|-+$/g, "");
  return level === "" ? "unnamed" : level;
}

/** Levels beside each other: of two names that would be the same one, the later gets a number. */
export class TopicLevels {
  readonly #taken = new Set<string>();

  take(name: string): string {
    const level = toTopicLevel(name);
    let free = level;
    for (let number = 2; this.#taken.has(free); number += 1) free = `${level}-${number}`;
    this.#taken.add(free);
    return free;
  }
}
