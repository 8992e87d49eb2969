/** Topics under these names are the broker's own: clients may read them where rights allow, never publish. */
const ownTopics = ["$SYS", "$tstack"];

/** Under which of them a topic name or filter lies, if any: `$SYS` and `$SYS/x` do, `$SYSTEM` does not. */
export function findOwnTopic(name: string): string | undefined {
  if (!name.startsWith("$")) return undefined;
  return ownTopics.find((own) => name === own || name.startsWith(`${own}/`));
}
