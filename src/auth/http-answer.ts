/**
 * What an HTTP service answers to the question who a client is, read strictly: what is not understood in full is no answer.
 */
import { z } from "zod";
import { findMistakeInGrantedName, readGrantedRights } from "./granted-identity.ts";
import type { Right } from "./rights.ts";

const cacheSecondsMax = 86_400;

const answerSchema = z.strictObject({
  result: z.enum(["allow", "deny", "ignore"]),
  /** Who it is; default: the user name that the client gave. */
  userName: z.string().optional(),
  /** What it may do; default: what the user of that name may. */
  rules: z.unknown().optional(),
  /** When the connection ends, milliseconds since 1970. */
  expiresAt: z.number().optional(),
  /** How long the broker need not ask again; 0: it asks each time. */
  cacheSeconds: z.number().min(0).max(cacheSecondsMax).optional(),
});

export interface HttpAnswer {
  readonly result: "allow" | "deny" | "ignore";
  readonly userName: string | undefined;
  readonly rights: readonly Right[] | undefined;
  readonly expiresAt: number | undefined;
  readonly cacheSeconds: number | undefined;
}

/** The answer; or in words what is wrong with it, as the end of a sentence that begins with the service. */
export function readHttpAnswer(bytes: Buffer): HttpAnswer | string {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString());
  } catch {
    // The parser's message would quote the answer.
    return "answered with something that is not JSON";
  }
  const { data, error } = answerSchema.safeParse(json);
  if (data === undefined) {
    const { path, message } = error.issues[0];
    return `answered with a mistake${path.length === 0 ? "" : ` at ${path.join(".")}`}: ${message}`;
  }
  const { result, userName, rules, expiresAt, cacheSeconds } = data;
  const mistake = userName === undefined ? undefined : findMistakeInGrantedName(userName);
  if (mistake !== undefined) return `answered with a userName that ${mistake}`;
  const rights = rules === undefined ? undefined : readGrantedRights(rules, "rules");
  if (typeof rights === "string") return `answered with rules: the list ${rights}`;
  return { result, userName, rights, expiresAt, cacheSeconds };
}
