/** Why a destination cannot be reached, in words that say what to do: errors of sockets, of names and of TLS. */

const texts: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused: does it run, and on this port?",
  ECONNRESET: "it closed the connection before it answered",
  EPIPE: "it closed the connection before it answered",
  ENOTFOUND: "this host name is unknown",
  EAI_AGAIN: "the host name could not be looked up",
  ETIMEDOUT: "no answer",
  EHOSTUNREACH: "no route to this host",
  ENETUNREACH: "this network cannot be reached",
  EPROTO: "what answers there speaks no TLS: http:// instead of https://, or another port",
  ERR_SSL_WRONG_VERSION_NUMBER:
    "what answers there speaks no TLS: http:// instead of https://, or another port",
  ERR_SSL_PACKET_LENGTH_TOO_LONG:
    "what answers there speaks no TLS: http:// instead of https://, or another port",
  HPE_INVALID_CONSTANT: "what answers there speaks no HTTP: is it the right port?",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is not trusted: its CA has to be given",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not trusted: its CA has to be given",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not trusted: its CA has to be given",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is not trusted: its CA has to be given",
  CERT_HAS_EXPIRED: "its certificate has expired, or the clock of this machine is wrong",
  CERT_NOT_YET_VALID: "its certificate is not valid yet, or the clock of this machine is wrong",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host name: use one that is in it",
};

interface NetworkError extends Error {
  readonly code?: string;
}

/** Ends a sentence such as `Graphite at localhost:2003 cannot be reached: `. */
export function describeNetworkError(error: NetworkError): string {
  // Of a name with several addresses: what the first said.
  const first: NetworkError = error instanceof AggregateError ? error.errors[0] : error;
  const code = error.code ?? first.code ?? "";
  return texts[code] ?? (first.message || code || "unknown error");
}
