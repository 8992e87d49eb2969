/** Reads a file of `name:hash` lines: mosquitto_passwd's, and htpasswd's with bcrypt. */
import { parsePasswordHash } from "../../auth/index.ts";
import type { ImportPlan } from "./import-plan.ts";

export function readPasswdLines(file: string, lines: readonly string[], plan: ImportPlan): void {
  const seen = new Set<string>();
  for (const [index, text] of lines.entries()) {
    const line = index + 1;
    if (text.trim() === "" || text.startsWith("#")) continue;
    const colon = text.indexOf(":");
    const name = text.slice(0, colon);
    const hash = text.slice(colon + 1).trim();
    const message =
      colon < 1 ? "is not name:hash" : (findDouble(seen, name) ?? findMistakeInHash(hash));
    if (message === undefined) plan.user(name).passwordHash = hash;
    else plan.faults.push({ file, line, message });
  }
}

function findDouble(seen: Set<string>, name: string): string | undefined {
  if (seen.has(name)) return `has the user ${JSON.stringify(name)} a second time`;
  seen.add(name);
  return undefined;
}

/** Never repeats the hash, which may be a password. */
function findMistakeInHash(hash: string): string | undefined {
  try {
    parsePasswordHash(hash);
    return undefined;
  } catch {
    if (!hash.startsWith("$")) {
      return "has no hash but a password in clear, or a kind of hash too weak to keep: mosquitto_passwd -U FILE hashes passwords in clear";
    }
    return "has a hash that is none of mosquitto's $7$ and $6$, bcrypt and argon2id";
  }
}
