/**
 * Reads where the database is. The URL and the variables of libpq (`PGHOST`, `PGPORT`, `PGUSER`, `PGDATABASE`, ...) are
 * read by the driver, what belongs to TLS and sockets by us. Nothing here connects, and no message repeats the URL,
 * which may hold a password.
 */
import {
  readCertificates,
  readOptionFile,
  readSecret,
  readText,
  settingMistake,
} from "../setting-values.ts";
import type { SinkOption, SinkValues } from "../sink.ts";

export const postgresOptions: readonly SinkOption[] = [
  {
    flags: "--postgres-url <url>",
    description: "postgres://user@host/database (default: of PGHOST and so on)",
  },
  {
    flags: "--postgres-password <password>",
    description: "of that user",
    environment: "PGPASSWORD",
  },
  { flags: "--postgres-password-file <file>", description: "its first line is the password" },
  {
    flags: "--postgres-table <name>",
    description: "the view of all readings, also schema.name (default: readings)",
  },
];

export type SslMode = "disable" | "prefer" | "require" | "verify-ca" | "verify-full";

/** How libpq names it: section 34.19 of PostgreSQL's manual. */
export interface TlsSettings {
  readonly mode: SslMode;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** A host and its port, or the path of a Unix socket. */
export type Address = { readonly host: string; readonly port: number } | { readonly path: string };

export interface PostgresSettings {
  readonly url: string;
  readonly password?: string;
  readonly user: string;
  readonly database: string;
  /** Taken in turn, where the one before is away or may only be read. At least one. */
  readonly addresses: readonly Address[];
  readonly tls: TlsSettings;
  /** As the user wrote it: `readings`, `metrics.readings`. */
  readonly table: string;
  readonly destination: string;
  /** How long a connection or a statement may take. */
  readonly answerSecondsMax: number;
}

const sslModes: ReadonlyMap<string, SslMode> = new Map([
  ["disable", "disable"],
  ["allow", "prefer"],
  ["prefer", "prefer"],
  ["require", "require"],
  ["verify-ca", "verify-ca"],
  ["verify-full", "verify-full"],
]);
const urlPattern = /^(postgres(?:ql)?:\/\/[^?#]*)(?:\?([^#]*))?$/;
const ipv6Pattern = /^[^/]*\/\/(?:[^/]*@)?\[([0-9a-f:.]+)\]/i;
const passwordPattern = /^[^/]*\/\/[^/@]*:[^@]*@/;
const answerSecondsMax = 30;
const form = "postgres://user@host:port/database";
// With the longest ending that a name gets, "_values_pkey", it is no longer than PostgreSQL's 63.
const tablePattern = /^(?:[a-z_][a-z0-9_]{0,49}\.)?[a-z_][a-z0-9_]{0,49}$/;

export async function readPostgresSettings(values: SinkValues): Promise<PostgresSettings> {
  const table = readText(values, "postgres-table", "readings");
  if (!tablePattern.test(table)) {
    const expected = "a name of at most 50 lower-case letters, digits and _, or schema.name";
    throw settingMistake("postgres-table", expected, table);
  }
  const text = readText(values, "postgres-url", "postgres://");
  const [, base, query] = urlPattern.exec(text) ?? [];
  // Without the text: there may be a password in it.
  if (base === undefined) throw settingMistake("postgres-url", `a URL such as ${form}`);
  const search = new URLSearchParams(query);
  const tls = await takeTls(search);
  const host = search.get("host") ?? ipv6Pattern.exec(base)?.[1];
  search.delete("host");
  const url = search.size > 0 ? `${base}?${search}` : base;
  const secret = await readSecret(values, "postgres-password");
  // As libpq: what stands in the URL is not for PGPASSWORD to change.
  const password = passwordPattern.test(base) ? undefined : secret;
  const { path, database, user, addresses } = await askDriver(url, host);
  const places = path ? [{ path }] : addresses;
  const where = places.map(describeAddress).join(",");
  const destination = `PostgreSQL at ${where}/${database}, table ${table}`;
  const who = { user, database, password };
  return { url, ...who, addresses: places, tls, table, destination, answerSecondsMax };
}

export function describeAddress(address: Address): string {
  if ("path" in address) return address.path;
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}

/** What the driver makes of the URL and of the variables of libpq. */
async function askDriver(url: string, host: string | undefined) {
  const { default: postgres } = await import("postgres");
  try {
    // The driver divides hosts at colons, which IPv6 has of its own.
    const chosen = host?.includes(":") ? "localhost" : host;
    const { options } = postgres(url, chosen === undefined ? {} : { host: chosen });
    const { path, database, user, port } = options;
    const addresses = options.host.map((name, index) => ({
      host: host ?? name,
      port: port[index] ?? port[0],
    }));
    return { path, database, user, addresses };
  } catch (error) {
    // Without its cause, which repeats the URL.
    const code = error instanceof Error && "code" in error ? ` (${error.code})` : "";
    throw settingMistake("postgres-url", `a URL such as ${form}${code}`);
  }
}

/** Takes out of the URL what belongs to TLS, with libpq's names and its habit of TLS where the server has it. */
async function takeTls(search: URLSearchParams): Promise<TlsSettings> {
  const namesCa = search.has("sslrootcert");
  const files = {
    ca: await takeFile(search, "sslrootcert", readCertificates),
    cert: await takeFile(search, "sslcert"),
    key: await takeFile(search, "sslkey"),
  };
  const text = search.get("sslmode") ?? (namesCa ? "verify-full" : "prefer");
  search.delete("sslmode");
  const mode = sslModes.get(text);
  if (mode === undefined) {
    const names = [...sslModes.keys()].join(", ");
    throw settingMistake("postgres-url", `a URL whose sslmode is one of ${names}`, text);
  }
  // As libpq: who names the CA wants it asked.
  return { mode: mode === "require" && namesCa ? "verify-ca" : mode, ...files };
}

async function takeFile(
  search: URLSearchParams,
  name: string,
  read = readOptionFile,
): Promise<string | undefined> {
  const file = search.get(name);
  search.delete(name);
  // `system` is what Node.js trusts by itself.
  if (file === null || file === "system") return undefined;
  return read(file, `postgres-url: ${name}`);
}
