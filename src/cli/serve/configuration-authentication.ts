/** What a configuration says of tokens and of services that is only wrong together, and files that cannot be read. */
import { readFileSync } from "node:fs";
import { describeCause } from "./configuration-file.ts";
import type { Findings } from "./configuration-mistake.ts";
import type { ConfigurationPath } from "./configuration-path.ts";
import type { ConfigurationShape } from "./configuration-schema.ts";

export function checkAuthentication(
  { jwt, http }: ConfigurationShape["authentication"],
  findings: Findings,
): void {
  const path = ["authentication", "jwt"];
  if (jwt !== undefined) {
    const sources = [jwt.secretFile, jwt.jwksFile, jwt.jwksUrl];
    if (sources.filter((source) => source !== undefined).length !== 1) {
      const message = "needs exactly one of secretFile, jwksFile and jwksUrl";
      findings.mistakes.push({ path, message });
    }
    if (jwt.jwksUrl !== undefined && jwt.audience === undefined) {
      const message =
        "needs an audience beside it: else tokens that its issuer makes for other services were let in too";
      findings.mistakes.push({ path: [...path, "jwksUrl"], message });
    }
    checkFile(jwt.secretFile, [...path, "secretFile"], findings);
    checkFile(jwt.jwksFile, [...path, "jwksFile"], findings);
  }
  checkFile(http?.secretFile, ["authentication", "http", "secretFile"], findings);
}

/** What stands in it is read by those who use it; that it cannot be read is told with the line that names it. */
export function checkFile(
  file: string | undefined,
  path: ConfigurationPath,
  { mistakes }: Findings,
): void {
  if (file === undefined) return;
  try {
    readFileSync(file);
  } catch (error) {
    mistakes.push({ path, message: `cannot read ${describeCause(error, file)}` });
  }
}
