/**
 * Whether a listener takes clients without a user name, and what they may do. Always holds: where other machines reach a
 * listener they are taken only if that was asked for by name.
 */
import type { Right } from "../../auth/index.ts";
import type { Findings } from "./configuration-mistake.ts";
import { type ConfigurationPath, describePath } from "./configuration-path.ts";
import { readRights } from "./configuration-rights.ts";
import type { ConfigurationShape } from "./configuration-schema.ts";
import type { ListenerShape } from "./configuration-schema-listen.ts";

export interface AnonymousAccess {
  /** `whileNoUsers`: as long as there is nobody else whom the listener could know. */
  readonly accepted: "always" | "whileNoUsers" | "never";
  /** Undefined: `openRights` while there are no users, and nothing from then on. */
  readonly rights: readonly Right[] | undefined;
}

/** All topics, and reading what the broker says of itself: who is at the machine may know that. */
export const openRights: readonly Right[] = [
  { effect: "allow", action: "both", filter: "#", source: "default rights of anonymous clients" },
  {
    effect: "allow",
    action: "subscribe",
    filter: "$SYS/#",
    source: "default rights of anonymous clients",
  },
];

export interface AnonymousCircumstances {
  /** Anonymous clients are in its chain. */
  readonly isInChain: boolean;
  /** Its chain knows others than users and anonymous clients. */
  readonly knowsOthers: boolean;
  readonly isForThisMachine: boolean;
}

/** For each listener; both keys may be its own or those of all. */
export function readAnonymous(
  all: ConfigurationShape,
  shapes: readonly ListenerShape[],
  circumstances: readonly AnonymousCircumstances[],
  findings: Findings,
): AnonymousAccess[] {
  const sharedRights =
    all.anonymous && readRights(all.anonymous.rights, ["anonymous", "rights"], findings);
  const accesses = shapes.map(({ allowAnonymous, anonymous }, index): AnonymousAccess => {
    const path = ["listen", index];
    if (allowAnonymous && !circumstances[index].isInChain) {
      const message = "is true, but authentication does not name anonymous: add it there";
      findings.mistakes.push({ path: [...path, "allowAnonymous"], message });
    }
    const own =
      anonymous && readRights(anonymous.rights, [...path, "anonymous", "rights"], findings);
    const accepted = choose(allowAnonymous ?? all.allowAnonymous, circumstances[index]);
    return { accepted, rights: own ?? sharedRights };
  });
  if (all.users.length > 0) {
    refuseMissingRights(shapes, accesses, findings);
    warnOfUselessRights(all, shapes, findings);
  }
  return accesses;
}

function choose(
  wanted: boolean | undefined,
  { isInChain, knowsOthers, isForThisMachine }: AnonymousCircumstances,
): AnonymousAccess["accepted"] {
  if (wanted === false || !isInChain) return "never";
  if (wanted === true) return "always";
  return isForThisMachine && !knowsOthers ? "whileNoUsers" : "never";
}

/** Whoever lets anyone in beside users says what they may do. */
function refuseMissingRights(
  shapes: readonly ListenerShape[],
  accesses: readonly AnonymousAccess[],
  { mistakes }: Findings,
): void {
  const message = 'with users needs anonymous.rights: say what anonymous clients may do ("#": all)';
  const isMissing = accesses.map((access) => access.accepted === "always" && !access.rights);
  for (const [index, { allowAnonymous }] of shapes.entries()) {
    if (!isMissing[index] || !allowAnonymous) continue;
    mistakes.push({ path: ["listen", index, "allowAnonymous"], message });
  }
  if (shapes.some(({ allowAnonymous }, index) => isMissing[index] && !allowAnonymous)) {
    mistakes.push({ path: ["allowAnonymous"], message });
  }
}

function warnOfUselessRights(
  all: ConfigurationShape,
  shapes: readonly ListenerShape[],
  { warnings, locateLine }: Findings,
): void {
  const isWanted = (shape: ListenerShape) => shape.allowAnonymous ?? all.allowAnonymous;
  const useless: ConfigurationPath[] = shapes.flatMap((shape, index) =>
    shape.anonymous && !isWanted(shape) ? [["listen", index, "anonymous"]] : [],
  );
  if (all.anonymous && !shapes.some(isWanted)) useless.unshift(["anonymous"]);
  for (const path of useless) {
    warnings.push(
      `${describePath(path)}.rights has no effect (${locateLine(path)}): ` +
        "with users, anonymous clients are refused until allowAnonymous is true",
    );
  }
}
