/** What a verified certificate says of its owner, in the words of the broker's port. */
import type { X509Certificate } from "node:crypto";
import type { ClientCertificate } from "../broker/ports.ts";

export function describeClient(certificate: X509Certificate): ClientCertificate {
  const { CN: commonName } = certificate.toLegacyObject().subject;
  return {
    // A certificate with several names has none that is meant.
    commonName: typeof commonName === "string" ? commonName : undefined,
    subjectAlternativeNames: splitNames(certificate.subjectAltName ?? ""),
    serialNumber: certificate.serialNumber,
    fingerprint: certificate.fingerprint256.replaceAll(":", ""),
  };
}

/**
 * Node writes `DNS:a, URI:b`, and a value that could be taken for more than one as JSON: `DNS:"a, URI:b"`. Whatever has
 * not that form makes the whole worthless.
 */
export function splitNames(text: string): string[] {
  const names: string[] = [];
  const name = /([^:,"]+):("(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[\da-f]{4}))*"|[^",]*)(?:, |$)/iuy;
  while (name.lastIndex < text.length) {
    const match = name.exec(text);
    if (match === null) return [];
    const [, kind, value] = match;
    names.push(`${kind}:${value.startsWith('"') ? (JSON.parse(value) as string) : value}`);
  }
  return names;
}
