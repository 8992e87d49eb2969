/**
 * How a client program ends when it cannot do what it was asked: one line for people and the exit
 * code for scripts. The codes are those of mosquitto_pub and mosquitto_sub: 1, the reason code of a
 * CONNACK, or 27 for a time-out. They use 2 for a refused identifier, so a usage mistake is 1 too.
 */
import { ReasonCode } from "../../base/index.ts";

export const exitCodeTimeOut = 27;

interface FailureOptions extends ErrorOptions {
  readonly exitCode?: number;
}

/** Ends the program with `exitCode`, by default 1; `message` is the line on stderr. */
export class ProgramFailure extends Error {
  readonly exitCode: number;

  constructor(message: string, options: FailureOptions = {}) {
    super(message, options);
    this.name = "ProgramFailure";
    this.exitCode = options.exitCode ?? 1;
  }
}

/** A mistake on the command line; `message` says what to write instead. `--quiet` does not hide it. */
export class UsageError extends ProgramFailure {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UsageError";
  }
}

const returnCodeTexts = [
  "accepted",
  "this protocol version is not spoken here: try another -V",
  "client identifier rejected",
  "server unavailable",
  "bad user name or password",
  "not authorized",
];

const nameOf = new Map<number, string>(
  Object.entries(ReasonCode).map(([name, code]) => [
    code,
    name.replace(/[A-Z0-9]/g, (letter) => ` ${letter.toLowerCase()}`),
  ]),
);

/** What a reason or return code says, and the words that the broker added to it. */
export function describeCode(code: number, reasonString?: string): string {
  const text = returnCodeTexts[code] ?? nameOf.get(code) ?? "unknown reason";
  return `${text} (code ${code})${reasonString ? `: ${reasonString}` : ""}`;
}

interface SystemError extends Error {
  readonly code?: string;
}

const systemErrorTexts: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused: is a broker listening there?",
  ECONNRESET: "the connection was reset: does the broker speak this protocol on this port?",
  ENOTFOUND: "this host name is unknown",
  EAI_AGAIN: "the host name could not be looked up",
  ETIMEDOUT: "no answer",
  EHOSTUNREACH: "no route to this host",
  ENETUNREACH: "this network cannot be reached",
  ENOENT: "no such file",
  EISDIR: "this is a folder, and not a file",
  ENOSPC: "no space left on the disk",
  EACCES: "permission denied",
  EROFS: "the disk is read-only",
  ENOTDIR: "a part of this path is no folder",
  EADDRNOTAVAIL: "the address of -A is not an address of this machine",
  EPROTO: "no TLS on this port: try without --cafile, or mqtt:// and ws://",
  ERR_SSL_WRONG_VERSION_NUMBER: "no TLS on this port: try without --cafile, or mqtt:// and ws://",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the broker's certificate is not trusted: give its CA with --cafile",
  SELF_SIGNED_CERT_IN_CHAIN: "the broker's certificate is not trusted: give its CA with --cafile",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "the broker's certificate is not trusted: give its CA with --cafile",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    "the broker's certificate is not trusted: give its CA with --cafile",
  CERT_HAS_EXPIRED: "the broker's certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID:
    "the broker's certificate is for another host name: connect by that name, or --insecure",
};

/** An error of the system or of TLS in words that say what to do. */
export function describeSystemError(error: SystemError): string {
  const first = error instanceof AggregateError ? (error.errors[0] as SystemError) : error;
  const code = error.code ?? first.code ?? "";
  const status = /^Unexpected server response: (\d+)$/.exec(first.message)?.[1];
  if (status !== undefined) {
    return `the server answered with HTTP ${status}, no WebSocket: is the path of the URL right?`;
  }
  return systemErrorTexts[code] ?? (first.message || code || "unknown error");
}

/** What is known of a connection that has ended. */
export interface ConnectionEnd {
  /** The broker's address. */
  readonly where: string;
  readonly everOnline: boolean;
  /** CONNACK with a code other than 0. */
  readonly refusal?: Reason;
  /** DISCONNECT from the broker. */
  readonly farewell?: Reason;
  readonly cause?: Error;
}

export interface Reason {
  readonly code: number;
  readonly reasonString?: string;
}

const takenOverHint =
  "; another client has come with this client identifier, and each needs its own: -i";

/** Why a connection ended, in words, with the exit code of a program that ends with it. */
export function explainEnd({ where, everOnline, refusal, farewell, cause }: ConnectionEnd) {
  if (refusal !== undefined) {
    const reason = describeCode(refusal.code, refusal.reasonString);
    return new ProgramFailure(`${where} refused the connection: ${reason}`, {
      exitCode: refusal.code,
    });
  }
  if (farewell !== undefined) {
    const reason = describeCode(farewell.code, farewell.reasonString);
    const hint = farewell.code === ReasonCode.sessionTakenOver ? takenOverHint : "";
    return new ProgramFailure(`${where} ended the connection: ${reason}${hint}`);
  }
  if (cause !== undefined && !(everOnline && isReset(cause))) {
    return new ProgramFailure(`${where}: ${describeSystemError(cause)}`, { cause });
  }
  if (everOnline) return new ProgramFailure(`${where} closed the connection`);
  // Of a certificate that it does not accept a broker says nothing else.
  const isEncrypted = /^(?:mqtts|wss):/.test(where);
  const certificate = isEncrypted ? " does it want a client certificate, or another one?" : "";
  return new ProgramFailure(
    `${where} closed the connection before it answered:${certificate} is this MQTT, and its -V?`,
  );
}

/** Once MQTT was spoken, a reset is just one way to close. */
function isReset(cause: SystemError): boolean {
  return cause.code === "ECONNRESET" || cause.code === "EPIPE";
}
