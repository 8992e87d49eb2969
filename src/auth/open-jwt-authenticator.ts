/** The way to the link `jwt`. It is loaded here, with jose, so that brokers without tokens do without. */
import { TstackError } from "../base/index.ts";
import { completeWorld, type GrantingWorld } from "./granted-identity.ts";
import type { JwtAuthenticator, JwtSettings } from "./jwt-authenticator.ts";

/** Rejects with CONFIGURATION_INVALID, also when the files cannot be read. */
export async function openJwtAuthenticator(
  settings: JwtSettings,
  given: Partial<GrantingWorld> = {},
): Promise<JwtAuthenticator> {
  if (settings.jwksUrl !== undefined && (settings.audience ?? []).length === 0) {
    throw new TstackError(
      "CONFIGURATION_INVALID",
      "tokens of a jwksUrl need an audience: else those that its issuer makes for other services were let in too",
    );
  }
  const world = completeWorld(given);
  const { openJwtKeys } = await import("./jwt-keys.ts");
  const { JwtAuthenticator } = await import("./jwt-authenticator.ts");
  return new JwtAuthenticator(settings, await openJwtKeys(settings, world.log), world);
}
