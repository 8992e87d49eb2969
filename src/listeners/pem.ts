/**
 * Reads files in PEM form: texts between BEGIN and END. Whatever is wrong with one is CERTIFICATE_INVALID, which names the
 * file and says what to do, and never shows what is in it.
 */
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { TstackError } from "../base/index.ts";

/** @throws TstackError CERTIFICATE_INVALID */
export async function readCertificates(
  file: string,
): Promise<[X509Certificate, ...X509Certificate[]]> {
  const [first, ...others] = takeBlocks(await readText(file), "CERTIFICATE");
  if (first === undefined) {
    throw invalidTls(`${file} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)`);
  }
  const parse = (block: string): X509Certificate => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw invalidTls(`${file} holds a certificate that is damaged or half written`, cause);
    }
  };
  return [parse(first), ...others.map(parse)];
}

/** What stands in `text` between BEGIN and END of this label, these lines included. */
export function takeBlocks(text: string, label: string): string[] {
  const block = new RegExp(`-----BEGIN ${label}-----.*?(?:-----END ${label}-----|$)`, "gs");
  return Array.from(text.matchAll(block), ([found]) => `${found}\n`);
}

/** @throws TstackError CERTIFICATE_INVALID */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const { code = "" } = cause as NodeJS.ErrnoException;
    const why: Readonly<Record<string, string>> = {
      ENOENT: "does not exist",
      EACCES: "may not be read with the rights of this user",
      EISDIR: "is a directory",
    };
    throw invalidTls(`${file} ${why[code] ?? `cannot be read (${code})`}`, cause);
  }
}

export function invalidTls(message: string, cause?: unknown): TstackError {
  return new TstackError("CERTIFICATE_INVALID", message, { cause });
}
