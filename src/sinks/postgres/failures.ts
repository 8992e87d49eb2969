/**
 * What the driver or the server says, as what it means for the batch. Only what is wrong with rows is a refusal; what
 * is wrong with the server, the tables or the rights waits until somebody has mended it. No sentence holds a password.
 */
import { describeNetworkError } from "../network-error.ts";
import { SinkRefusal, SinkUnavailable } from "../sink.ts";
import type { PostgresSettings } from "./settings.ts";
import { TlsUnavailable } from "./transport.ts";

/** Codes of appendix A of PostgreSQL's manual; two characters are a class. */
const ofRows: ReadonlySet<string> = new Set([
  "22", // data exception
  "23", // integrity constraint violation
  "54", // program limit exceeded
  "P0001", // raise_exception, by a trigger that somebody made
]);

const foreignKeyViolation = "23503";

/** The tables are not what was found when the session began. */
export const changedTables: ReadonlySet<string> = new Set([
  foreignKeyViolation,
  "42P01", // undefined_table
  "42703", // undefined_column
  "3F000", // invalid_schema_name
]);

type Where = Pick<PostgresSettings, "destination" | "user" | "database" | "table">;

export function describeFailure(error: unknown, where: Where): SinkUnavailable | SinkRefusal {
  if (error instanceof SinkUnavailable || error instanceof SinkRefusal) return error;
  const cause = error instanceof Error ? error : new Error(String(error));
  const code = codeOf(error) ?? "";
  const { destination } = where;
  const isOfRows = ofRows.has(code) || ofRows.has(code.slice(0, 2));
  if (isOfServer(error) && isOfRows && code !== foreignKeyViolation) {
    return new SinkRefusal(`${destination} refused a row: ${cause.message} (${code})`, { cause });
  }
  const text = isOfServer(error)
    ? describeServerError(cause, code, where)
    : error instanceof TlsUnavailable
      ? "cannot be reached: the server has no TLS, and sslmode asks for it"
      : `cannot be reached: ${describeDriverError(cause, code)}`;
  return new SinkUnavailable(`${destination} ${text}`, { cause });
}

export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

function isOfServer(error: unknown): boolean {
  return error instanceof Error && error.name === "PostgresError";
}

function describeServerError(error: Error, code: string, where: Where): string {
  const { user, database, table } = where;
  const said = `${error.message} (${code})`;
  switch (code) {
    case "28P01":
      return `refuses the password of "${user}": PGPASSWORD, --postgres-password-file or the one in --postgres-url is wrong or missing`;
    case "28000":
      return `does not let "${user}" in: ${said}`;
    case "3D000":
      return `has no database "${database}": make it with createdb, or name another in --postgres-url`;
    case "3F000":
      return `has no schema for ${table}: make it with "create schema", or name another by --postgres-table`;
    case "42501":
      return `denies "${user}" a right: ${error.message}; docs/sinks.md has the statements that grant it`;
    case "25006":
      return "may only be read now: it is a standby, or set so";
    case "53300":
      return "has no connection left for us (max_connections)";
    case "53100":
      return `has a full disk: ${said}`;
    case "57014":
      return "did not write in time: it is busy, or the table is locked";
    case "57P01":
    case "57P02":
    case "57P03":
      return `shuts down or starts: ${said}`;
    case foreignKeyViolation:
    case "42P01":
    case "42703":
      return `has other tables than before (${error.message}): they are looked at again`;
    default:
      return `failed: ${said}`;
  }
}

/** Of the driver itself. */
function describeDriverError(error: Error, code: string): string {
  switch (code) {
    case "CONNECTION_CLOSED":
    case "CONNECTION_ENDED":
    case "CONNECTION_DESTROYED":
      return "the connection was closed";
    case "CONNECT_TIMEOUT":
    case "ABORT_ERR":
      return "no answer";
    case "SASL_SIGNATURE_MISMATCH":
      return "it does not know the password of our user, and is perhaps not the server that it says";
    case "EPROTO":
      return "its TLS and ours do not understand each other";
    default:
      return describeNetworkError(error);
  }
}
