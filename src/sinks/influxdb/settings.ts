/**
 * What was said of an InfluxDB: which of its three interfaces, where, and by whose rights. A bucket means that of
 * version 2, a database with a token that of version 3, and otherwise it is version 1.
 */
import { checkHeaderText, readBasicAuthorization, readHttpUrl } from "../http-settings.ts";
import { readCaFile, readSecret, readText, settingMistake } from "../setting-values.ts";
import type { SinkOption, SinkValues } from "../sink.ts";

export const influxdbOptions: readonly SinkOption[] = [
  { flags: "--influxdb-url <url>", description: "where it is (default: http://localhost:8086)" },
  {
    flags: "--influxdb-database <name>",
    description: "InfluxDB 1: made on first use; InfluxDB 3: with a token (default: readings)",
  },
  { flags: "--influxdb-retention-policy <name>", description: "InfluxDB 1: not the default one" },
  { flags: "--influxdb-user <name>", description: "InfluxDB 1: with a password" },
  {
    flags: "--influxdb-password <password>",
    description: "InfluxDB 1",
    environment: "TSTACK_INFLUXDB_PASSWORD",
  },
  { flags: "--influxdb-password-file <file>", description: "its first line is the password" },
  { flags: "--influxdb-bucket <name>", description: "InfluxDB 2" },
  { flags: "--influxdb-org <name>", description: "InfluxDB 2: name or ID of the organization" },
  {
    flags: "--influxdb-token <token>",
    description: "InfluxDB 2 and 3",
    environment: "TSTACK_INFLUXDB_TOKEN",
  },
  { flags: "--influxdb-token-file <file>", description: "its first line is the token" },
  { flags: "--influxdb-cafile <file>", description: "trusts this CA instead of the usual ones" },
];

export interface InfluxdbSettings {
  /** `InfluxDB at http://localhost:8086, database readings`. */
  readonly destination: string;
  readonly writeUrl: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** What to do about 401 and 403. */
  readonly credentialsAdvice: string;
  /** What to do about 404, where it cannot be made. */
  readonly absenceAdvice: string;
  /** InfluxDB 1: where a database is made, and the form that asks for it. */
  readonly creation?: { readonly url: URL; readonly form: string };
  readonly ca?: string;
}

/** @throws TstackError CONFIGURATION_INVALID */
export async function readInfluxdbSettings(values: SinkValues): Promise<InfluxdbSettings> {
  const base = readHttpUrl(values, "influxdb-url", "http://localhost:8086");
  const bucket = readText(values, "influxdb-bucket", undefined);
  const org = readText(values, "influxdb-org", undefined);
  const token = await readSecret(values, "influxdb-token");
  checkHeaderText("influxdb-token", token);
  const ca = await readCaFile(values, "influxdb-cafile");
  if (bucket !== undefined || org !== undefined) {
    return { ...readVersion2(values, { base, bucket, org, token }), ca };
  }
  return token === undefined
    ? { ...(await readVersion1(values, base)), ca }
    : { ...readVersion3(values, base, token), ca };
}

async function readVersion1(values: SinkValues, base: URL): Promise<InfluxdbSettings> {
  const database = readText(values, "influxdb-database", "readings");
  const policy = readText(values, "influxdb-retention-policy", undefined);
  const authorization = await readBasicAuthorization(values, "influxdb");
  const identifier = `"${database.replace(/["\\]/g, "\\$&").replace(/\n/g, "\\n")}"`;
  return {
    destination: `InfluxDB at ${base.origin}, database ${database}`,
    writeUrl: join(base, "write", { db: database, rp: policy, precision: "u" }),
    headers: authorization === undefined ? {} : { authorization },
    credentialsAdvice: "see --influxdb-user and --influxdb-password-file",
    absenceAdvice: "see --influxdb-url, --influxdb-database and --influxdb-retention-policy",
    creation: {
      url: join(base, "query", {}),
      form: new URLSearchParams({ q: `CREATE DATABASE ${identifier}` }).toString(),
    },
  };
}

interface Version2 {
  readonly base: URL;
  readonly bucket: string | undefined;
  readonly org: string | undefined;
  readonly token: string | undefined;
}

function readVersion2(
  values: SinkValues,
  { base, bucket, org, token }: Version2,
): InfluxdbSettings {
  if (bucket === undefined) throw settingMistake("influxdb-bucket", "needed with --influxdb-org");
  refuseOthers(values, "influxdb-bucket", ["influxdb-database"]);
  return {
    destination: `InfluxDB at ${base.origin}, bucket ${bucket}`,
    writeUrl: join(base, "api/v2/write", { org, bucket, precision: "us" }),
    headers: token === undefined ? {} : { authorization: `Token ${token}` },
    credentialsAdvice: "--influxdb-token-file needs a token that may write into this bucket",
    absenceAdvice: "see --influxdb-url, --influxdb-org and --influxdb-bucket",
  };
}

/** https://docs.influxdata.com/influxdb3/core/api/write-data/: answers when it is in the write-ahead log. */
function readVersion3(values: SinkValues, base: URL, token: string): InfluxdbSettings {
  const database = readText(values, "influxdb-database", "readings");
  refuseOthers(values, "influxdb-token", []);
  return {
    destination: `InfluxDB at ${base.origin}, database ${database}`,
    writeUrl: join(base, "api/v3/write_lp", { db: database, precision: "microsecond" }),
    headers: { authorization: `Bearer ${token}` },
    credentialsAdvice: "--influxdb-token-file needs a token that may write into this database",
    absenceAdvice: "see --influxdb-url; for InfluxDB 2, --influxdb-org and --influxdb-bucket",
  };
}

function refuseOthers(values: SinkValues, beside: string, more: readonly string[]): void {
  const ofVersion1 = ["influxdb-user", "influxdb-password", "influxdb-password-file"];
  for (const option of [...ofVersion1, "influxdb-retention-policy", ...more]) {
    if (values[option] !== undefined) {
      throw settingMistake(option, `for InfluxDB 1, and not together with --${beside}`);
    }
  }
}

function join(base: URL, path: string, query: Readonly<Record<string, string | undefined>>): URL {
  const url = new URL(base);
  url.hash = "";
  url.pathname = `${base.pathname.replace(/\/+$/, "")}/${path}`;
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url;
}
