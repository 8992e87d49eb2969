/**
 * The children of a tree node by the name of their level: none, one, or many. Most nodes have
 * one child or none, and a `Map` for each of them would cost more than everything else in the tree.
 */

export interface LevelNode {
  readonly level: string;
}

export type LevelChildren<Node extends LevelNode> = Node | Map<string, Node> | undefined;

export function findChild<Node extends LevelNode>(
  children: LevelChildren<Node>,
  level: string,
): Node | undefined {
  if (children === undefined) return undefined;
  if (children instanceof Map) return children.get(level);
  return children.level === level ? children : undefined;
}

/** `children` with `child` in place of whatever had its level. */
export function withChild<Node extends LevelNode>(
  children: LevelChildren<Node>,
  child: Node,
): LevelChildren<Node> {
  if (children instanceof Map) return children.set(child.level, child);
  if (children === undefined || children.level === child.level) return child;
  return new Map([
    [children.level, children],
    [child.level, child],
  ]);
}

/** `children` without `child`, which must be among them. */
export function withoutChild<Node extends LevelNode>(
  children: LevelChildren<Node>,
  child: Node,
): LevelChildren<Node> {
  if (!(children instanceof Map)) return undefined;
  children.delete(child.level);
  return children.size === 0 ? undefined : children;
}
