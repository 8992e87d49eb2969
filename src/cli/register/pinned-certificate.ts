/**
 * Finds the certificate that was pinned among those that a server shows. Nothing is sent to the server before: whether it
 * really has the key of what it shows is proven by the connection after this one, which trusts the found one alone.
 */
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect, type DetailedPeerCertificate } from "node:tls";
import { UsageError } from "../client/index.ts";
import { failWith } from "./failures.ts";

/** More are no chain but an attack. */
const chainLengthMax = 10;

/** SHA-256 as 64 hexadecimal digits, with or without colons. @throws UsageError */
export function parsePin(text: string): string {
  const digits = text
    .replace(/^sha-?256:/i, "")
    .replaceAll(":", "")
    .toLowerCase();
  if (/^[0-9a-f]{64}$/.test(digits)) return digits;
  throw new UsageError(
    '--pin takes the SHA-256 fingerprint of a certificate, 64 hexadecimal digits ("tstack cert show" tells it)',
  );
}

interface Server {
  readonly host: string;
  readonly port: number;
  /** For SNI; undefined for an address. */
  readonly servername: string | undefined;
}

/** The certificate as PEM. @throws ProgramFailure where none has the fingerprint */
export async function findPinned(
  { host, port, servername }: Server,
  pin: string,
  signal: AbortSignal,
): Promise<string> {
  const socket = connect({ host, port, servername, rejectUnauthorized: false });
  try {
    await once(socket, "secureConnect", { signal });
    const chain = readChain(socket.getPeerCertificate(true));
    const found = chain.find(({ fingerprint256 }) => normalize(fingerprint256) === pin);
    if (found !== undefined) return new X509Certificate(found.raw).toString();
    const message = `${host}:${port} shows another certificate than the pinned one: its SHA-256 is ${chain[0]?.fingerprint256 ?? "none"}; somebody may be in between`;
    throw failWith("pinMismatch", message);
  } finally {
    socket.destroy();
  }
}

function readChain(first: DetailedPeerCertificate): DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = [];
  let next: DetailedPeerCertificate | undefined = first;
  while (next?.raw !== undefined && !chain.includes(next) && chain.length < chainLengthMax) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}

function normalize(fingerprint: string): string {
  return fingerprint.replaceAll(":", "").toLowerCase();
}
