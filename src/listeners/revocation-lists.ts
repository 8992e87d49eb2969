/**
 * Reads a file of revocation lists. OpenSSL wants one of every CA that it trusts, as without it cannot know; so lists and
 * CAs that do not fit are refused here, where it can be said, and not with every client.
 */
import type { X509Certificate } from "node:crypto";
import { invalidTls, readText, takeBlocks } from "./pem.ts";

export interface RevocationList {
  readonly text: string;
  readonly issuer: string;
  /** From then on the certificates of its CA are refused, all of them. */
  readonly endsAt: Date | undefined;
}

/** @throws TstackError CERTIFICATE_INVALID */
export async function readRevocationLists(
  file: string,
  authorities: readonly X509Certificate[],
): Promise<RevocationList[]> {
  const blocks = takeBlocks(await readText(file), "X509 CRL");
  if (blocks.length === 0) {
    throw invalidTls(`${file} holds no revocation list in PEM form (-----BEGIN X509 CRL-----)`);
  }
  // Only who has a list needs the package, which takes a tenth of a second to load.
  await import("reflect-metadata");
  const { X509Crl, X509Certificate: Parsed } = await import("@peculiar/x509");
  const lists = blocks.map((text): RevocationList => {
    try {
      const { issuer, nextUpdate: endsAt } = new X509Crl(text);
      return { text, issuer, endsAt };
    } catch (cause) {
      throw invalidTls(`${file} holds a revocation list that is damaged or half written`, cause);
    }
  });
  for (const authority of authorities) {
    const { subject } = new Parsed(authority.raw);
    if (lists.some(({ issuer }) => issuer === subject)) continue;
    throw invalidTls(
      `${file} holds no revocation list of the CA "${subject}", so none of its clients could be let in: add its list, or take it out of the file of CAs`,
    );
  }
  return lists;
}
