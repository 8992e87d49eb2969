/** What the readers of all kinds of hashes share: bounds of their parameters, and the error that repeats no hash. */
import { TstackError } from "../base/index.ts";

export function invalidHash(message: string): TstackError {
  return new TstackError("PASSWORD_HASH_INVALID", message);
}

export function checkHashBounds(
  name: string,
  value: number,
  [least, most]: readonly [number, number],
): void {
  if (value < least || value > most) {
    throw invalidHash(`${name} is ${value}, not ${least} to ${most}`);
  }
}
