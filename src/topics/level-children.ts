/**
 * The children of a tree node by the name of their level: none, one, few or many. Most nodes have one child or none,
 * and a `Map` for each of them would cost more than everything else in the tree. A list of few is never changed but
 * replaced, so that a walk over it may pause.
 */

export interface LevelNode {
  readonly level: string;
}

export type LevelChildren<Node extends LevelNode> =
  | Node
  | readonly Node[]
  | Map<string, Node>
  | undefined;

const fewMax = 4;

/** Below this a map becomes a list again; the gap keeps a child that comes and goes from costing a change each time. */
const manyMin = 2;

export function findChild<Node extends LevelNode>(
  children: LevelChildren<Node>,
  level: string,
): Node | undefined {
  if (children === undefined) return undefined;
  if (children instanceof Map) return children.get(level);
  if ("level" in children) return children.level === level ? children : undefined;
  for (const child of children) if (child.level === level) return child;
  return undefined;
}

/** `children` with `child` in place of whatever had its level. */
export function withChild<Node extends LevelNode>(
  children: LevelChildren<Node>,
  child: Node,
): LevelChildren<Node> {
  if (children === undefined) return child;
  if (children instanceof Map) return children.set(child.level, child);
  const others = toList(children).filter((other) => other.level !== child.level);
  if (others.length === 0) return child;
  if (others.length < fewMax) return others.concat([child]); // exactly as long as it must be
  return new Map([...others, child].map((node) => [node.level, node]));
}

/** `children` without `child`, which must be among them. */
export function withoutChild<Node extends LevelNode>(
  children: LevelChildren<Node>,
  child: Node,
): LevelChildren<Node> {
  if (children instanceof Map) {
    children.delete(child.level);
    return children.size < manyMin ? toChildren([...children.values()]) : children;
  }
  return toChildren(toList(children).filter((other) => other !== child));
}

function toChildren<Node extends LevelNode>(list: readonly Node[]): LevelChildren<Node> {
  return list.length > 1 ? list : list[0];
}

/** Children as they stand: a map's own values, live, or a list that never changes. */
export function listChildren<Node extends LevelNode>(
  children: LevelChildren<Node>,
): { readonly nodes: Iterator<Node>; readonly count: number } {
  if (children instanceof Map) return { nodes: children.values(), count: children.size };
  const list = toList(children);
  return { nodes: list.values(), count: list.length };
}

function toList<Node extends LevelNode>(
  children: Node | readonly Node[] | undefined,
): readonly Node[] {
  if (children === undefined) return [];
  return "level" in children ? [children] : children;
}
