/** What was said of a destination for remote write: where it is and by whose rights. */
import { checkHeaderText, readBasicAuthorization, readHttpUrl } from "../http-settings.ts";
import { readCaFile, readSeconds, readSecret, settingMistake } from "../setting-values.ts";
import type { SinkOption, SinkValues } from "../sink.ts";

export const prometheusOptions: readonly SinkOption[] = [
  {
    flags: "--prometheus-url <url>",
    description: "remote write, with its path (default: http://localhost:8428/api/v1/write)",
  },
  { flags: "--prometheus-user <name>", description: "with a password" },
  {
    flags: "--prometheus-password <password>",
    description: "of that user",
    environment: "TSTACK_PROMETHEUS_PASSWORD",
  },
  { flags: "--prometheus-password-file <file>", description: "its first line is the password" },
  {
    flags: "--prometheus-token <token>",
    description: "instead of user and password",
    environment: "TSTACK_PROMETHEUS_TOKEN",
  },
  { flags: "--prometheus-token-file <file>", description: "its first line is the token" },
  { flags: "--prometheus-cafile <file>", description: "trusts this CA instead of the usual ones" },
  {
    flags: "--prometheus-resend-seconds <time>",
    description: "what is sent again to a server that was away, since it may be lost (default: 15)",
  },
];

export interface PrometheusSettings {
  /** `Prometheus at http://localhost:8428`. */
  readonly destination: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly ca?: string;
  readonly resendSeconds: number;
}

/** VictoriaMetrics 1.79 has what it acknowledged on the disk after seven seconds at the latest, as measured. */
const resendSecondsByDefault = 15;

/** @throws TstackError CONFIGURATION_INVALID */
export async function readPrometheusSettings(values: SinkValues): Promise<PrometheusSettings> {
  const url = readHttpUrl(values, "prometheus-url", "http://localhost:8428/api/v1/write");
  if (url.pathname === "/") {
    const expected =
      "a URL with the path of remote write, such as http://localhost:8428/api/v1/write";
    throw settingMistake("prometheus-url", expected, url.origin);
  }
  return {
    destination: `Prometheus at ${url.origin}`,
    url,
    headers: await readAuthorization(values),
    ca: await readCaFile(values, "prometheus-cafile"),
    resendSeconds: readSeconds(values, "prometheus-resend-seconds", resendSecondsByDefault),
  };
}

async function readAuthorization(values: SinkValues): Promise<Readonly<Record<string, string>>> {
  const authorization = await readBasicAuthorization(values, "prometheus");
  const token = await readSecret(values, "prometheus-token");
  checkHeaderText("prometheus-token", token);
  if (token === undefined) return authorization === undefined ? {} : { authorization };
  if (authorization === undefined) return { authorization: `Bearer ${token}` };
  throw settingMistake("prometheus-token", "not for --prometheus-user");
}
