/** A CA for tests that issues whatever certificates they need, good and bad ones, and revokes them. Keys are P-256. */
import type { webcrypto } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import "reflect-metadata";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  type JsonGeneralNames,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
  X509CrlGenerator,
} from "@peculiar/x509";

const signing = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const dayMilliseconds = 86_400_000;

interface KeyPair {
  readonly publicKey: webcrypto.CryptoKey;
  readonly privateKey: webcrypto.CryptoKey;
}

export interface Issuing {
  readonly altNames?: JsonGeneralNames;
  /** From now; negative for one that has expired. */
  readonly days?: number;
}

/** PEM texts. */
export interface Issued {
  readonly certificate: string;
  readonly key: string;
  readonly serialNumber: string;
}

export class TestAuthority {
  readonly #certificate: X509Certificate;
  readonly #keys: KeyPair;
  #count = 1;

  private constructor(certificate: X509Certificate, keys: KeyPair) {
    this.#certificate = certificate;
    this.#keys = keys;
  }

  static async make(name = "test CA"): Promise<TestAuthority> {
    const keys = await makeKeys();
    const certificate = await X509CertificateGenerator.createSelfSigned({
      serialNumber: "01",
      name: `CN=${name}`,
      ...validFor(365),
      signingAlgorithm: signing,
      keys,
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new TestAuthority(certificate, keys);
  }

  get certificate(): string {
    return `${this.#certificate.toString("pem")}\n`;
  }

  /** @param name what stands behind CN=, or a whole name with commas. */
  async issue(name: string, { altNames = [], days = 30 }: Issuing = {}): Promise<Issued> {
    const keys = await makeKeys();
    this.#count += 1;
    const serialNumber = this.#count.toString(16).padStart(2, "0");
    const certificate = await X509CertificateGenerator.create({
      serialNumber,
      subject: name.includes("=") ? name : `CN=${name}`,
      issuer: this.#certificate.subject,
      ...validFor(days),
      signingAlgorithm: signing,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [
        ...(altNames.length === 0 ? [] : [new SubjectAlternativeNameExtension(altNames)]),
        await AuthorityKeyIdentifierExtension.create(this.#keys.publicKey),
      ],
    });
    const key = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
    return {
      certificate: `${certificate.toString("pem")}\n`,
      key: `${PemConverter.encode(key, "PRIVATE KEY")}\n`,
      serialNumber,
    };
  }

  /** The list of what is revoked: of these, and no others. */
  async revoke(revoked: readonly Issued[], days = 30): Promise<string> {
    const { notBefore: thisUpdate, notAfter: nextUpdate } = validFor(days);
    const list = await X509CrlGenerator.create({
      issuer: this.#certificate.subject,
      thisUpdate,
      nextUpdate,
      entries: revoked.map(({ serialNumber }) => ({ serialNumber, revocationDate: thisUpdate })),
      signingAlgorithm: signing,
      signingKey: this.#keys.privateKey,
      extensions: [await AuthorityKeyIdentifierExtension.create(this.#keys.publicKey)],
    });
    return `${PemConverter.encode(list.rawData, "X509 CRL")}\n`;
  }
}

function validFor(days: number): { notBefore: Date; notAfter: Date } {
  const end = Date.now() + days * dayMilliseconds;
  return {
    notBefore: new Date(Math.min(Date.now(), end) - dayMilliseconds),
    notAfter: new Date(end),
  };
}

function makeKeys(): Promise<KeyPair> {
  return crypto.subtle.generateKey(signing, true, ["sign", "verify"]);
}

/** A folder of certificates that goes with the test. */
export class CertificateFolder {
  readonly #folder: string;

  constructor(context: TestContext) {
    this.#folder = mkdtempSync(path.join(tmpdir(), "certificates-"));
    context.after(() => rmSync(this.#folder, { recursive: true }));
  }

  path(name: string): string {
    return path.join(this.#folder, name);
  }

  write(name: string, text: string): string {
    writeFileSync(this.path(name), text);
    return this.path(name);
  }

  /** NAME.crt and NAME.key, as a listener is told of them. */
  writeIssued(name: string, { certificate, key }: Issued): { certFile: string; keyFile: string } {
    return {
      certFile: this.write(`${name}.crt`, certificate),
      keyFile: this.write(`${name}.key`, key),
    };
  }
}
