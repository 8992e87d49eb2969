/** Pieces that several parts of the configuration's schema are made of. */
import { z } from "zod";
import { boundsOfLimit, defaultLimits, type Limits } from "../../base/index.ts";

/** The path of a file or folder: in the configuration file it is relative to that, elsewhere to the working folder. */
export function filePath() {
  return z.string().min(1).meta({ format: pathFormat });
}

/** How the JSON Schema marks it. */
export const pathFormat = "path";

/** What each of them is for is told by `src/base/limits.ts`, from where the pages take it. */
export function limitValue(name: keyof Limits) {
  const [least, most] = boundsOfLimit(name);
  return z.int().min(least).max(most);
}

export function limitWithDefault(name: keyof Limits) {
  return limitValue(name).default(defaultLimits[name]);
}
