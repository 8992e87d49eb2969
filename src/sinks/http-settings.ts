/** What the sinks that speak HTTP read in the same way from their options, beside `setting-values.ts`. */
import { isIPv4 } from "node:net";
import { readSecret, readText, readUrl, settingMistake } from "./setting-values.ts";
import type { SinkValues } from "./sink.ts";

/** Without user and password: a URL is shown to people. */
export function readHttpUrl(values: SinkValues, option: string, otherwise?: string): URL {
  const url = readUrl(values, option, { protocols: ["http:", "https:"], otherwise });
  if (url.username === "" && url.password === "") return url;
  throw settingMistake(option, "a URL without user and password: there are options for them");
}

/** Other characters cannot go into a header. The text is a secret, and not repeated. */
export function checkHeaderText(option: string, text: string | undefined): void {
  if (text === undefined || /^[\x21-\x7e]+$/.test(text)) return;
  throw settingMistake(option, "of ASCII characters without spaces");
}

/** `Basic ...` of `<name>-user` and `<name>-password`; undefined where neither was said. */
export async function readBasicAuthorization(
  values: SinkValues,
  name: string,
): Promise<string | undefined> {
  const option = `${name}-user`;
  const user = readText(values, option, undefined);
  const password = await readSecret(values, `${name}-password`);
  if ((user === undefined) !== (password === undefined)) {
    throw settingMistake(option, `only together with --${name}-password-file`);
  }
  if (user === undefined) return undefined;
  if (user.includes(":")) throw settingMistake(option, "a name without a colon", user);
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

/** Whether others on the way could read what is sent there. */
export function isReadableOnTheWay({ protocol, hostname }: URL): boolean {
  if (protocol === "https:" || hostname === "localhost" || hostname === "[::1]") return false;
  return !(isIPv4(hostname) && hostname.startsWith("127."));
}
