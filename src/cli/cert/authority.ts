/**
 * A private CA in a folder: `ca.crt` and `ca.key`, and what it signs. Certificates are as RFC 5280 asks; every key is made
 * here, belongs to one certificate, and is not encrypted: who can read it is what the mode of its file says.
 */
import {
  createPrivateKey,
  generateKeyPair,
  type KeyObject,
  X509Certificate as NodeCertificate,
  type webcrypto,
} from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Extension, JsonGeneralName, Name } from "@peculiar/x509";
import { TstackError } from "../../base/index.ts";
import type { X509 } from "./x509.ts";

export type KeyType = "ec" | "rsa";

export interface Signed {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

const dayMilliseconds = 86_400_000;
/** Clocks of devices are not exact. */
const backdatedMilliseconds = 3_600_000;

const generate = promisify(generateKeyPair);

async function makeKeyPair(type: KeyType) {
  return type === "ec"
    ? generate("ec", { namedCurve: "P-256" })
    : generate("rsa", { modulusLength: 3072 });
}

/** What Web Cryptography wants to know of a key that Node has read. */
function toCryptoKey(key: KeyObject, usage: "sign" | "verify"): webcrypto.CryptoKey {
  const details = key.asymmetricKeyDetails;
  const curves: Readonly<Record<string, string>> = {
    prime256v1: "P-256",
    secp384r1: "P-384",
    secp521r1: "P-521",
  };
  const namedCurve = curves[details?.namedCurve ?? ""];
  if (key.asymmetricKeyType === "rsa") {
    return key.toCryptoKey({ name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, true, [usage]);
  }
  if (namedCurve === undefined) throw invalid("the CA's key is neither RSA nor of a NIST curve");
  return key.toCryptoKey({ name: "ECDSA", namedCurve }, true, [usage]);
}

/** ECDSA names its hash when it signs, RSA in the key. */
const signingAlgorithm = { name: "ECDSA", hash: "SHA-256" } as const;

function writeKey(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function lifetime(days: number, latest?: Date) {
  const now = Date.now();
  const end = Math.min(now + days * dayMilliseconds, latest?.getTime() ?? Number.POSITIVE_INFINITY);
  return { notBefore: new Date(now - backdatedMilliseconds), notAfter: new Date(end) };
}

/** As one value: what looks like the syntax of names in it is text. Empty without `name`. */
function nameOf(x509: X509, name: string | undefined): Name {
  return new x509.Name(name === undefined ? [] : [{ CN: [{ utf8String: name }] }]);
}

/** A CA that signs itself. */
export async function makeAuthority(
  x509: X509,
  { name, days, keyType }: { name: string; days: number; keyType: KeyType },
): Promise<Signed> {
  const pair = await makeKeyPair(keyType);
  const keys = {
    privateKey: toCryptoKey(pair.privateKey, "sign"),
    publicKey: toCryptoKey(pair.publicKey, "verify"),
  };
  const { KeyUsageFlags } = x509;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: nameOf(x509, name),
    ...lifetime(days),
    keys,
    signingAlgorithm,
    extensions: [
      // It signs certificates of servers and clients, and no further CA.
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    certificate: encodePem("CERTIFICATE", certificate.rawData),
    key: writeKey(pair.privateKey),
  };
}

interface LeafSettings {
  /** Undefined leaves the subject empty: its names stand in the alternative names only. */
  readonly commonName: string | undefined;
  readonly hosts?: readonly string[];
  readonly usage: "server" | "client";
  readonly days: number;
  readonly keyType: KeyType;
}

export class Authority {
  readonly #x509: X509;
  readonly #subject: Name;
  readonly #key: webcrypto.CryptoKey;
  readonly certificate: NodeCertificate;

  private constructor(x509: X509, certificate: NodeCertificate, key: KeyObject) {
    this.#x509 = x509;
    this.certificate = certificate;
    this.#subject = new x509.X509Certificate(certificate.raw).subjectName;
    this.#key = toCryptoKey(key, "sign");
  }

  /** @throws TstackError CERTIFICATE_INVALID */
  static open(x509: X509, folder: string): Authority {
    const file = join(folder, "ca.crt");
    const certificate = readCertificate(file);
    const keyFile = join(folder, "ca.key");
    const key = attempt(`${keyFile} is no private key`, () =>
      createPrivateKey(readFileSync(keyFile)),
    );
    if (!certificate.ca) throw invalid(`${file} is not the certificate of a CA`);
    if (!certificate.checkPrivateKey(key)) {
      throw invalid(`${keyFile} is not the key of ${file}: they are of two CAs`);
    }
    if (certificate.validToDate.getTime() < Date.now()) {
      throw invalid(`${file} has expired on ${certificate.validTo}: make a new CA`);
    }
    return new Authority(x509, certificate, key);
  }

  async sign({ commonName: name, hosts, usage, days, keyType }: LeafSettings): Promise<Signed> {
    const x509 = this.#x509;
    const pair = await makeKeyPair(keyType);
    const publicKey = toCryptoKey(pair.publicKey, "verify");
    const purpose =
      usage === "server" ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
    const extensions: Extension[] = [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([purpose]),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await this.#authorityKeyIdentifier(),
    ];
    if (hosts !== undefined) {
      // Critical where there is no subject. (RFC 5280, section 4.2.1.6)
      extensions.push(
        new x509.SubjectAlternativeNameExtension(hosts.map(toGeneralName), name === undefined),
      );
    }
    const certificate = await x509.X509CertificateGenerator.create({
      subject: nameOf(x509, name),
      issuer: this.#subject,
      ...lifetime(days, this.certificate.validToDate),
      publicKey,
      signingKey: this.#key,
      signingAlgorithm,
      extensions,
    });
    return {
      certificate: encodePem("CERTIFICATE", certificate.rawData),
      key: writeKey(pair.privateKey),
    };
  }

  /** A list with `revoked`, of which each has its serial number in hexadecimal digits. */
  async revoke(revoked: readonly { serialNumber: string; revocationDate: Date }[]) {
    const x509 = this.#x509;
    const thisUpdate = new Date();
    const list = await x509.X509CrlGenerator.create({
      issuer: this.#subject,
      thisUpdate,
      // A list that has run out would shut everyone out, and nobody renews it but this program.
      nextUpdate: this.certificate.validToDate,
      entries: [...revoked],
      signingKey: this.#key,
      signingAlgorithm: { ...signingAlgorithm, ...this.#key.algorithm },
      extensions: [
        await this.#authorityKeyIdentifier(),
        new x509.Extension("2.5.29.20", false, encodeInteger(thisUpdate.getTime())), // CRL Number
      ],
    });
    return encodePem("X509 CRL", list.rawData); // the library calls it "CRL", which openssl does not know
  }

  #authorityKeyIdentifier() {
    const certificate = new this.#x509.X509Certificate(this.certificate.raw);
    return this.#x509.AuthorityKeyIdentifierExtension.create(certificate.publicKey);
  }
}

/** The first certificate of a PEM file, or a DER file. @throws TstackError CERTIFICATE_INVALID */
export function readCertificate(file: string): NodeCertificate {
  return attempt(`${file} is no certificate`, () => new NodeCertificate(readFileSync(file)));
}

function attempt<Result>(what: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    // Files that are not there are told as such by the program.
    if (error instanceof Error && "syscall" in error) throw error;
    throw invalid(what, error);
  }
}

export function invalid(message: string, cause?: unknown): TstackError {
  return new TstackError("CERTIFICATE_INVALID", message, { cause });
}

function toGeneralName(host: string): JsonGeneralName {
  return { type: isIP(host) === 0 ? "dns" : "ip", value: host };
}

function encodePem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** DER, of a whole number that is not negative. */
function encodeInteger(value: number): Buffer {
  let digits = value.toString(16);
  if (digits.length % 2 === 1) digits = `0${digits}`;
  if (Number.parseInt(digits[0], 16) >= 8) digits = `00${digits}`;
  const bytes = Buffer.from(digits, "hex");
  return Buffer.from([2, bytes.length, ...bytes]);
}
