/**
 * URLs of services that decide who comes in, and what they answer. Always holds: what goes there is encrypted, or stays on
 * this machine, or somebody has asked for otherwise by name; answers are bounded in bytes and time, and redirects not followed.
 */
import { isIPv4 } from "node:net";
import { type Clock, TstackError } from "../base/index.ts";

export interface ServiceUrlSettings {
  readonly url: string;
  /** Lets `http://` go to other machines, where everybody on the way reads along. */
  readonly allowUnencrypted?: boolean;
}

/** Throws CONFIGURATION_INVALID. `what` begins its sentence: `authentication.http.url`. */
export function parseServiceUrl(settings: ServiceUrlSettings, what: string): URL {
  const url = URL.parse(settings.url);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new TstackError(
      "CONFIGURATION_INVALID",
      `${what} is not a URL such as https://users.example.org/mqtt`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new TstackError(
      "CONFIGURATION_INVALID",
      `${what} holds a user name or a password; put a secret into a file of its own`,
    );
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname) && !settings.allowUnencrypted) {
    throw new TstackError(
      "CONFIGURATION_INVALID",
      `${what} is not encrypted and leaves this machine: use https, or set allowUnencrypted`,
    );
  }
  return url;
}

function isLoopback(hostname: string): boolean {
  if (hostname === "localhost" || hostname === "[::1]") return true;
  return isIPv4(hostname) && hostname.startsWith("127.");
}

/** For the log: without its query, which may hold a secret. */
export function describeServiceUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

export interface ServiceQuestion {
  readonly url: URL;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Ends it, with the reason it was aborted for. */
  readonly signal: AbortSignal;
  readonly answerBytesMax: number;
}

/** The body of a 200; everything else rejects with AUTHENTICATION_UNAVAILABLE. */
export async function askService(question: ServiceQuestion): Promise<Buffer> {
  const { url, signal } = question;
  try {
    const response = await fetch(url, {
      method: question.method,
      headers: question.headers,
      body: question.body ?? null,
      redirect: "manual",
      signal,
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw unavailable(url, `answered ${response.status}, not 200`);
    }
    return await readBounded(response, question);
  } catch (error) {
    if (error instanceof TstackError) throw error;
    throw unavailable(url, signal.aborted ? "did not answer in time" : "cannot be reached", error);
  }
}

async function readBounded(
  response: Response,
  { url, answerBytesMax }: ServiceQuestion,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // To leave the loop cancels the rest.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > answerBytesMax)
      throw unavailable(url, `answered more than ${answerBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** `what` ends a sentence that begins with the service. */
export function unavailable(url: URL, what: string, cause?: unknown): TstackError {
  return new TstackError(
    "AUTHENTICATION_UNAVAILABLE",
    `the service ${describeServiceUrl(url)} ${what}`,
    { cause },
  );
}

/** A signal that aborts after `milliseconds` of this clock, and how to call that off. */
export function abortAfter(
  clock: Clock,
  milliseconds: number,
): { readonly signal: AbortSignal; readonly callOff: () => void } {
  const controller = new AbortController();
  const callOff = clock.after(milliseconds, () => controller.abort());
  return { signal: controller.signal, callOff };
}
