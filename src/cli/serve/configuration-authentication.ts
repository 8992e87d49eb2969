/** Who besides the users decides who a client is, as `auth/` takes it. Reads the files of secrets. */
import type { Findings } from "./configuration-mistake.ts";
import type { ConfigurationShape } from "./configuration-schema.ts";

export interface AuthenticationConfiguration {
  readonly certificate: { readonly userName: "cn" | "san" };
}

export function readAuthentication(
  shape: ConfigurationShape["authentication"],
  _findings: Findings,
): AuthenticationConfiguration {
  return { certificate: shape.certificate };
}
