/**
 * For broken code, never for a broken peer: a failed assertion is a bug in tStack.
 * A peer that breaks the standard, a file that is damaged: those are `TstackError`s.
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message} (this is a bug in tStack)`);
}

/** Marks a switch as exhaustive: the compiler refuses a case that is not handled. */
export function unreachable(value: never): never {
  throw new Error(
    `assertion failed: unexpected ${JSON.stringify(value)} (this is a bug in tStack)`,
  );
}
