/** The operating system's randomness behind the `Random` interface. */
import { randomBytes } from "node:crypto";
import type { Random } from "./random.ts";

export const systemRandom: Random = {
  hexadecimal: (count) => randomBytes(count).toString("hex"),
};
