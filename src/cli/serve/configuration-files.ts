/** What only the content tells of the files that a configuration names: those of TLS, of tokens' keys and of secrets. */
import { openHttpAuthenticator, openJwtAuthenticator } from "../../auth/index.ts";
import { readTlsFiles } from "../../listeners/index.ts";
import type { Configuration } from "./configuration.ts";

/** Opens them as the start does, and nothing else. @throws TstackError CERTIFICATE_INVALID, CONFIGURATION_INVALID */
export async function checkFiles({ listeners, authentication }: Configuration): Promise<void> {
  const { jwt, http } = authentication;
  for (const { tls } of listeners) if (tls !== undefined) await readTlsFiles(tls);
  if (jwt !== undefined) await openJwtAuthenticator(jwt);
  if (http !== undefined) await openHttpAuthenticator(http);
}
