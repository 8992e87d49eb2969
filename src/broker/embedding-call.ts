/** Calls into the program that embeds the broker: what it throws or rejects with is logged and goes no further. */
import type { Log } from "../base/index.ts";

/** `facts` and `what` are for the log: which handler it was. */
export function callEmbedding(call: () => unknown, log: Log, facts: object, what: string): void {
  const fail = (error: unknown): void => log.error({ ...facts, error }, `${what} threw`);
  try {
    const answer = call();
    if (answer instanceof Promise) answer.catch(fail);
  } catch (error) {
    fail(error);
  }
}
