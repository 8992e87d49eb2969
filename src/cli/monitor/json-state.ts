/** All figures as one JSON, a group for each level: `{"cpu":{"load1":0.5}}`. No figure is a group of others too. */
import { type Figure, roundFigure } from "./figure.ts";

/** Without a prototype: whatever the machine's parts are called, they are only keys. */
interface Group {
  [name: string]: Group | number;
}

export function formatState(figures: readonly Figure[]): string {
  const all = newGroup();
  for (const figure of figures) {
    const levels = figure.path.split("/");
    const last = levels.pop() ?? "";
    let group = all;
    for (const level of levels) {
      group[level] ??= newGroup();
      group = group[level] as Group;
    }
    group[last] = roundFigure(figure);
  }
  return JSON.stringify(all);
}

function newGroup(): Group {
  return Object.create(null) as Group;
}
