/** What is in a file of certificates, or in a list of revoked ones, in words. */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ProgramIo } from "../program-io.ts";
import { describeTime } from "../time-text.ts";
import { readCertificate } from "./authority.ts";
import { parseList } from "./revocation.ts";
import { loadX509 } from "./x509.ts";

const certificatePattern = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** @throws TstackError CERTIFICATE_INVALID */
export async function showCertificates(file: string, io: ProgramIo): Promise<void> {
  const text = readFileSync(file, "latin1");
  if (text.includes("BEGIN X509 CRL")) {
    const { issuer, thisUpdate, entries } = parseList(await loadX509(), file);
    io.stdout.write(`revoked by ${issuer}, as of ${describeTime(thisUpdate)}: ${entries.length}\n`);
    for (const { serialNumber, revocationDate } of entries) {
      io.stdout.write(`  ${serialNumber.toUpperCase()} since ${describeTime(revocationDate)}\n`);
    }
    return;
  }
  const found = text.match(certificatePattern) ?? [];
  const certificates = found.length > 0 ? found.map(parse) : [readCertificate(file)];
  io.stdout.write(certificates.map(describe).join("\n"));
}

function parse(text: string): X509Certificate {
  return new X509Certificate(text);
}

function describe(certificate: X509Certificate): string {
  const { subject, issuer, subjectAltName, serialNumber, fingerprint256 } = certificate;
  const isOver = certificate.validToDate.getTime() < Date.now();
  const rows: [string, string][] = [
    ["subject", subject ?? "(none)"],
    ["issuer", subject === issuer ? "itself" : issuer],
    ["valid from", describeTime(certificate.validFromDate)],
    ["valid to", `${describeTime(certificate.validToDate)}${isOver ? " (it has expired)" : ""}`],
    ["names", subjectAltName ?? "(none)"],
    ["serial number", serialNumber],
    ["SHA-256", fingerprint256],
  ];
  return rows
    .map(([name, value]) => `${name.padEnd(14)} ${value.replace(/\p{Cc}+/gu, ", ")}\n`)
    .join("");
}
