/**
 * Reads what `TlsSettings` name and makes it ready for serving. Either all of it is good, or CERTIFICATE_INVALID says
 * which file is not, and why: nothing half is ever served. What has expired is served and told by `expiries`.
 */
import { constants, createPrivateKey, type KeyObject, type X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import { invalidTls, readCertificates, readText } from "./pem.ts";
import { readRevocationLists } from "./revocation-lists.ts";
import type { CertificateFiles, TlsSettings } from "./tls-settings.ts";

/** One certificate that is served. */
export interface ServedCertificate {
  readonly certificate: X509Certificate;
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
}

/** Something that is good until a day. */
export interface Expiry {
  readonly file: string;
  readonly what: string;
  readonly at: Date;
}

export interface TlsMaterial {
  /** The first serves whoever asks for no name that another has. */
  readonly served: readonly ServedCertificate[];
  readonly expiries: readonly Expiry[];
}

/** Only their changes matter, in any order. */
export function namesOfFiles({ certificates, caFile, crlFile }: TlsSettings): string[] {
  const optional = [caFile, crlFile].filter((file) => file !== undefined);
  return [...certificates.flatMap(({ certFile, keyFile }) => [certFile, keyFile]), ...optional];
}

/** @throws TstackError CERTIFICATE_INVALID for settings that make no sense together. */
export function checkTlsSettings({
  certificates,
  caFile,
  crlFile,
  clientCertificates,
}: TlsSettings): void {
  if (certificates.length === 0)
    throw invalidTls("TLS needs a certificate: name its file and its key");
  if (clientCertificates !== "none" && caFile === undefined) {
    throw invalidTls(
      `clientCertificates is "${clientCertificates}" without a CA: name the file of the CA whose client certificates count`,
    );
  }
  if (clientCertificates === "none" && crlFile !== undefined) {
    throw invalidTls(
      `nothing would be looked up in the revocation list ${crlFile}, as clientCertificates is "none"; ask for client certificates, or leave the list away`,
    );
  }
}

/** @throws TstackError CERTIFICATE_INVALID */
export async function readTlsFiles(settings: TlsSettings): Promise<TlsMaterial> {
  const { caFile, crlFile, versionMin } = settings;
  const authorities = caFile === undefined ? undefined : await readCertificates(caFile);
  const lists =
    crlFile === undefined || authorities === undefined
      ? undefined
      : await readRevocationLists(crlFile, authorities);
  const expiries = [
    ...expiriesOf(caFile ?? "", "the CA", authorities ?? []),
    ...(lists?.map(({ endsAt }) => endsAt) ?? []).flatMap((at) =>
      at === undefined ? [] : [{ file: crlFile ?? "", what: "the revocation list", at }],
    ),
  ];
  const shared: SecureContextOptions = {
    ca: authorities?.map((authority) => authority.toString()),
    crl: lists?.map(({ text }) => text),
    minVersion: versionMin,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
  const served: ServedCertificate[] = [];
  for (const files of settings.certificates) {
    const chain = await readCertificates(files.certFile);
    const key = await readKey(files, chain[0]);
    const options = {
      ...shared,
      cert: chain.map((certificate) => certificate.toString()).join(""),
      key: key.export({ type: "pkcs8", format: "pem" }),
    };
    served.push({ certificate: chain[0], options, context: newContext(files, options) });
    expiries.push(...expiriesOf(files.certFile, "the certificate", chain));
  }
  return { served, expiries };
}

function expiriesOf(
  file: string,
  what: string,
  certificates: readonly X509Certificate[],
): Expiry[] {
  return certificates.map(({ validToDate: at, subject }) => {
    return { file, what: `${what} of ${subject.replaceAll("\n", ", ")}`, at };
  });
}

async function readKey(
  { certFile, keyFile }: CertificateFiles,
  certificate: X509Certificate,
): Promise<KeyObject> {
  const text = await readText(keyFile);
  if (text.includes("ENCRYPTED")) {
    throw invalidTls(
      `the key in ${keyFile} is encrypted, and there is nobody to ask for its passphrase; store it without one, readable for the broker's user only`,
    );
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch (cause) {
    throw invalidTls(
      `${keyFile} holds no private key in PEM form (-----BEGIN PRIVATE KEY-----), or one that is half written`,
      cause,
    );
  }
  if (!certificate.checkPrivateKey(key)) {
    throw invalidTls(
      `the key in ${keyFile} does not belong to the (first) certificate in ${certFile}`,
    );
  }
  return key;
}

/** OpenSSL refuses more than we look for: keys that are too short, signatures that are too weak. */
function newContext(
  { certFile, keyFile }: CertificateFiles,
  options: SecureContextOptions,
): SecureContext {
  try {
    return createSecureContext(options);
  } catch (cause) {
    const why = (cause as Error).message;
    throw invalidTls(`OpenSSL does not take ${certFile} with ${keyFile}: ${why}`, cause);
  }
}
