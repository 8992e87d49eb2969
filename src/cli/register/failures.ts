/** How tregister ends when it cannot register: each cause has an exit code and a sentence of its own (docs/registration.md). */
import { describeSystemError, ProgramFailure } from "../client/index.ts";

export const exitCodes = {
  nameNotFound: 3,
  unreachable: 4,
  notTrusted: 5,
  pinMismatch: 6,
  requestRefused: 7,
  keyRefused: 8,
  tooManyRequests: 9,
  unavailable: 10,
  answerInvalid: 11,
  settingsNotWritable: 12,
  alreadyRegistered: 13,
} as const;

export function failWith(
  cause: keyof typeof exitCodes,
  message: string,
  error?: unknown,
): ProgramFailure {
  return new ProgramFailure(message, { exitCode: exitCodes[cause], cause: error });
}

const trustCodes =
  /^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_(?:CA|PURPOSE)|ERR_TLS_CERT_ALTNAME)/;
const noTlsCodes = /^(?:EPROTO|ERR_SSL_)/;

/** Why no answer came from `where`. */
export function explainConnection(error: Error & { code?: string }, where: string): ProgramFailure {
  const { code = "" } = error instanceof AggregateError ? error.errors[0] : error;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return failWith("nameNotFound", `${where}: ${describeSystemError(error)}`, error);
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    const message = `${where}: the certificate is for another host name: use a name that is in it`;
    return failWith("notTrusted", message, error);
  }
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID") {
    const message = `${where}: the certificate has expired, or the clock of this machine is wrong`;
    return failWith("notTrusted", message, error);
  }
  if (trustCodes.test(code)) {
    const message = `${where}: the certificate is not trusted: give its CA with --cafile, or its fingerprint with --pin`;
    return failWith("notTrusted", message, error);
  }
  return failWith("unreachable", `${where}: ${describeUnreachable(error, code)}`, error);
}

function describeUnreachable(error: Error, code: string): string {
  if (error.name === "TimeoutError" || error.name === "AbortError") return "no answer in time";
  if (code === "ECONNREFUSED") return "connection refused: does treg listen there?";
  if (code === "ECONNRESET") return "the connection was reset: does treg listen there?";
  if (noTlsCodes.test(code)) return "what answers there speaks no TLS: is it the port of treg?";
  return describeSystemError(error);
}
