/** The options of a webhook: where it is, what it is told, and how it knows that it is us. */
import { checkHeaderText, readHttpUrl } from "../http-settings.ts";
import {
  readCaFile,
  readChoice,
  readSeconds,
  readSecret,
  readSwitch,
  settingMistake,
} from "../setting-values.ts";
import type { SinkOption, SinkValues } from "../sink.ts";
import { type HttpFormat, httpFormats } from "./format.ts";

export interface HttpSettings {
  readonly url: URL;
  readonly format: HttpFormat;
  readonly isCompressed: boolean;
  /** Signs every body. */
  readonly secret: string | undefined;
  /** A bearer token. */
  readonly token: string | undefined;
  readonly timeoutSeconds: number;
  readonly ca: string | undefined;
}

export const httpOptions: readonly SinkOption[] = [
  { flags: "--http-url <url>", description: "where readings are posted" },
  {
    flags: "--http-format <name>",
    description: "json (an array) or jsonl (a line for each reading) (default: json)",
  },
  { flags: "--http-gzip", description: "compresses what is posted" },
  {
    flags: "--http-secret <secret>",
    description: "signs what is posted (HMAC-SHA256)",
    environment: "TSTACK_HTTP_SECRET",
  },
  { flags: "--http-secret-file <file>", description: "its first line is the secret" },
  {
    flags: "--http-token <token>",
    description: "sent as a bearer token",
    environment: "TSTACK_HTTP_TOKEN",
  },
  { flags: "--http-token-file <file>", description: "its first line is the token" },
  { flags: "--http-timeout <time>", description: "for an answer (default: 30s)" },
  { flags: "--http-cafile <file>", description: "trusts this CA instead of the usual ones" },
];

/** @throws TstackError CONFIGURATION_INVALID */
export async function readHttpSettings(values: SinkValues): Promise<HttpSettings> {
  const url = readHttpUrl(values, "http-url");
  const token = await readSecret(values, "http-token");
  checkHeaderText("http-token", token);
  const timeoutSeconds = readSeconds(values, "http-timeout", 30);
  if (timeoutSeconds < 1 || timeoutSeconds > 3600) {
    throw settingMistake("http-timeout", "a time from 1s to 1h", values["http-timeout"]);
  }
  return {
    url,
    format: readChoice(values, "http-format", { choices: httpFormats, otherwise: "json" }),
    isCompressed: readSwitch(values, "http-gzip"),
    secret: await readSecret(values, "http-secret"),
    token,
    timeoutSeconds,
    ca: await readCaFile(values, "http-cafile"),
  };
}
