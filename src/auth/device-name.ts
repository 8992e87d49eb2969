/** Names of registered devices, `ABC-123`: short enough to be read aloud, and nothing in them is mistaken for another. */
import { randomInt } from "node:crypto";

/** Without I and O, which are taken for 1 and 0; so digits begin at 2. */
const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ";
const digits = "23456789";

/** One of 24³ · 8³ = 7,077,888, each as likely as the others: `randomInt` has no bias. */
export function makeDeviceName(): string {
  const pick = (from: string) => from[randomInt(from.length)];
  return `${pick(letters)}${pick(letters)}${pick(letters)}-${pick(digits)}${pick(digits)}${pick(digits)}`;
}
