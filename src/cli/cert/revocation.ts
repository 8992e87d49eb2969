/** The list of certificates that a CA has taken back, `ca.crl` beside it: read, checked, and written anew with each one more. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ProgramIo } from "../program-io.ts";
import { isThere, writeWholeFile } from "../whole-file.ts";
import { Authority, invalid, readCertificate } from "./authority.ts";
import { loadX509, type X509 } from "./x509.ts";

interface Revoked {
  readonly serialNumber: string;
  readonly revocationDate: Date;
}

/** Of a new CA: so that a broker can be told of the list before there is anything on it. */
export async function writeEmptyList(authority: Authority, folder: string): Promise<void> {
  writeList(folder, await authority.revoke([]));
}

/** @throws TstackError CERTIFICATE_INVALID */
export async function revoke(file: string, folder: string, io: ProgramIo): Promise<void> {
  const x509 = await loadX509();
  const authority = Authority.open(x509, folder);
  const certificate = readCertificate(file);
  if (!certificate.verify(authority.certificate.publicKey)) {
    throw invalid(`${file} is not signed by the CA in ${folder}`);
  }
  const listFile = join(folder, "ca.crl");
  const before = isThere(listFile) ? await readList(x509, listFile, authority) : [];
  const serialNumber = normalize(certificate.serialNumber);
  if (before.some((revoked) => normalize(revoked.serialNumber) === serialNumber)) {
    io.stdout.write(`${file} was revoked before\n`);
    return;
  }
  const list = await authority.revoke([...before, { serialNumber, revocationDate: new Date() }]);
  writeList(folder, list);
  io.stdout.write(`${file} is revoked in ${listFile}: give that to the broker\n`);
}

async function readList(x509: X509, file: string, authority: Authority): Promise<Revoked[]> {
  const list = parseList(x509, file);
  const signer = new x509.X509Certificate(authority.certificate.raw);
  if (!(await list.verify({ publicKey: signer }))) {
    throw invalid(`${file} is not signed by the CA beside it: put it aside, and revoke again`);
  }
  return list.entries.map(({ serialNumber, revocationDate }) => ({ serialNumber, revocationDate }));
}

/** @throws TstackError CERTIFICATE_INVALID */
export function parseList(x509: X509, file: string) {
  const text = readFileSync(file, "utf8");
  try {
    return new x509.X509Crl(text);
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, cause: unknown) {
  return invalid(`${file} is no list of revoked certificates`, cause);
}

function writeList(folder: string, list: string): void {
  writeWholeFile(join(folder, "ca.crl"), list, 0o644);
}

/** Libraries do not agree on case and leading zeros. */
function normalize(serialNumber: string): string {
  const digits = serialNumber.toLowerCase().replace(/^0+/, "");
  return digits.length % 2 === 1 ? `0${digits}` : digits;
}
