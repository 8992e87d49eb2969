/** Where a value stands in the configuration, as keys and indices, and how that is written for people. */
export type ConfigurationPath = readonly (string | number)[];

/** `users[0].rights[1].filter` */
export function describePath(path: ConfigurationPath): string {
  return path
    .map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? key : `.${key}`))
    .join("");
}

export function isInside(path: ConfigurationPath, outer: ConfigurationPath): boolean {
  return outer.every((key, index) => path[index] === key);
}

/** Puts `value` at `path` into `root`, whose plain objects and arrays on the way are made where they are missing. */
export function setAt(
  root: Record<string, unknown>,
  path: ConfigurationPath,
  value: unknown,
): void {
  let container: Record<string | number, unknown> = root;
  for (const [index, key] of path.slice(0, -1).entries()) {
    const inner = container[key];
    if (typeof inner !== "object" || inner === null) {
      container[key] = typeof path[index + 1] === "number" ? [] : {};
    }
    container = container[key] as Record<string | number, unknown>;
  }
  container[path[path.length - 1]] = value;
}
