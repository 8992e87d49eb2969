/** Chooses the certificate for the name that a client asks for (SNI): the exact name before a wildcard [RFC 6125, section 6.4]. */
import type { X509Certificate } from "node:crypto";

/** Undefined where none has that name. */
export function findByName<Named extends { readonly certificate: X509Certificate }>(
  served: readonly Named[],
  name: string,
): Named | undefined {
  // What cannot be a host's name is not asked for in earnest.
  if (!/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i.test(name)) return undefined;
  for (const wildcards of [false, true]) {
    const options = { wildcards, partialWildcards: false };
    const found = served.find(
      ({ certificate }) => certificate.checkHost(name, options) !== undefined,
    );
    if (found !== undefined) return found;
  }
  return undefined;
}
