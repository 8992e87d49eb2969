/** What the sinks that speak HTTP read in the same way from their options, beside `setting-values.ts`. */
import { readFile } from "node:fs/promises";
import { isIPv4 } from "node:net";
import { TstackError } from "../base/index.ts";
import { readText, readUrl, settingMistake } from "./setting-values.ts";
import type { SinkValues } from "./sink.ts";

/** Without user and password: a URL is shown to people. */
export function readHttpUrl(values: SinkValues, option: string, otherwise?: string): URL {
  const url = readUrl(values, option, { protocols: ["http:", "https:"], otherwise });
  if (url.username === "" && url.password === "") return url;
  throw settingMistake(option, "a URL without user and password: there are options for them");
}

/** PEM of the authorities that are trusted instead of those Node knows. */
export async function readCaFile(values: SinkValues, option: string): Promise<string | undefined> {
  const file = readText(values, option, undefined);
  if (file === undefined) return undefined;
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw unreadable(option, error);
  }
}

function unreadable(option: string, cause: unknown): TstackError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `--${option} cannot be read: ${reason}`;
  return new TstackError("CONFIGURATION_INVALID", message, { cause });
}

/** Other characters cannot go into a header. The text is a secret, and not repeated. */
export function checkHeaderText(option: string, text: string | undefined): void {
  if (text === undefined || /^[\x21-\x7e]+$/.test(text)) return;
  throw settingMistake(option, "of ASCII characters without spaces");
}

/** Whether others on the way could read what is sent there. */
export function isReadableOnTheWay({ protocol, hostname }: URL): boolean {
  if (protocol === "https:" || hostname === "localhost" || hostname === "[::1]") return false;
  return !(isIPv4(hostname) && hostname.startsWith("127."));
}
