/** What a listener with TLS is told. Files are PEM, and read again when they change. */

export interface CertificateFiles {
  /** The certificate first, then those between it and its CA. */
  readonly certFile: string;
  readonly keyFile: string;
}

export interface TlsSettings {
  /** Chosen by the name that a client asks for (SNI) and the names in the certificates; the first serves all others. */
  readonly certificates: readonly CertificateFiles[];
  /** Whose client certificates count; nobody else's do, the operating system's CAs neither. */
  readonly caFile?: string;
  /** Certificates that their CA has revoked: a list of each CA in `caFile`. */
  readonly crlFile?: string;
  /** With `optional`, a certificate that is shown must be as good as with `required`. */
  readonly clientCertificates: "none" | "optional" | "required";
  readonly versionMin: "TLSv1.2" | "TLSv1.3";
}
