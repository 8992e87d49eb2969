/**
 * What the sinks that speak HTTP have in common: a body is posted over connections that stay open, within a time, and
 * what goes wrong is told in words. Always holds: no header and no query is ever in a message, answers are bounded in
 * bytes, redirects are not followed, and nothing is open after `close`.
 */
import { Agent as PlainAgent, type RequestOptions, request as requestPlain } from "node:http";
import { request as requestTls, Agent as TlsAgent } from "node:https";
import type { Socket } from "node:net";
import { describeNetworkError } from "./network-error.ts";
import { SinkUnavailable } from "./sink.ts";

export interface HttpTargetSettings {
  /** Begins every message, for people: `InfluxDB at http://localhost:8086`. */
  readonly destination: string;
  /** For the whole question, answer included. */
  readonly timeoutSeconds: number;
  /** Sent with every body; may hold secrets. */
  readonly headers: Readonly<Record<string, string>>;
  /** Ends the sentence `... does not accept these credentials (401): `. */
  readonly credentialsAdvice: string;
  /** PEM: trusted instead of the authorities that Node knows. */
  readonly ca?: string;
  /**
   * The server, or what stands before it, may have gone and be started again. `isSeen`: it was there up to this instant;
   * otherwise nobody knows when it went. May be called several times for one loss.
   */
  readonly lost?: (isSeen: boolean) => void;
}

export interface HttpPost {
  readonly url: URL;
  readonly body: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface HttpAnswer {
  readonly status: number;
  /** The first 64 KiB of it. */
  readonly text: string;
}

const answerBytesMax = 65_536;
/** RFC 9110, section 10.2.3, allows any; who asks for more is asked again after an hour. */
const retryAfterSecondsMax = 3600;

export class HttpTarget {
  readonly #settings: HttpTargetSettings;
  readonly #plain = new PlainAgent({ keepAlive: true });
  readonly #tls: TlsAgent;
  /** Whose end is no news: the server has said that it closes them, or it was us. */
  readonly #ending = new WeakSet<Socket>();
  #underWay = 0;
  #isClosed = false;

  constructor(settings: HttpTargetSettings) {
    this.#settings = settings;
    this.#tls = new TlsAgent({ keepAlive: true, ca: settings.ca });
  }

  /**
   * The answer, where it is about what was sent: 2xx, and 4xx but those of credentials and load.
   *
   * @throws SinkUnavailable the network, the time, 3xx, 401, 403, 407, 408, 425, 429, 5xx
   */
  async post(question: HttpPost): Promise<HttpAnswer> {
    try {
      return await this.#ask(question);
    } catch (error) {
      // It closed a connection that had waited for the next question; a new one is worth a try (Node does not by itself).
      if (!(error instanceof ReusedConnectionClosed) || this.#isClosed) throw error;
      return await this.#ask(question);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#plain.destroy();
    this.#tls.destroy();
  }

  async #ask(question: HttpPost): Promise<HttpAnswer> {
    this.#underWay += 1;
    try {
      return await this.#exchange(question);
    } finally {
      this.#underWay -= 1;
    }
  }

  #exchange({ url, body, headers }: HttpPost): Promise<HttpAnswer> {
    const { destination, timeoutSeconds, lost } = this.#settings;
    const signal = AbortSignal.timeout(timeoutSeconds * 1000);
    const options: RequestOptions = {
      method: "POST",
      signal,
      headers: { ...this.#settings.headers, ...headers, "content-length": body.length },
    };
    return new Promise((resolve, reject) => {
      const isTls = url.protocol === "https:";
      const request = isTls
        ? requestTls(url, { ...options, agent: this.#tls })
        : requestPlain(url, { ...options, agent: this.#plain });
      const fail = (error: Error) => {
        lost?.(false);
        if (signal.aborted) {
          const message = `${destination} did not answer within ${timeoutSeconds} s`;
          reject(new SinkUnavailable(message, { cause: error }));
          return;
        }
        const kind =
          request.reusedSocket && isClosed(error) ? ReusedConnectionClosed : SinkUnavailable;
        const message = `${destination} cannot be reached: ${describeNetworkError(error)}`;
        reject(new kind(message, { cause: error }));
      };
      request.on("error", fail);
      request.on("socket", (socket) => {
        if (!request.reusedSocket) socket.once("connect", () => this.#watch(socket));
      });
      // Node gives such a connection up, and says nothing more.
      request.on("upgrade", (_response, socket) => {
        socket.destroy();
        fail(new Error("it wants to speak something else (101)"));
      });
      request.on("response", (response) => {
        if (response.headers.connection === "close") this.#ending.add(response.socket);
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on("error", fail);
        response.on("data", (chunk: Buffer) => {
          // Beyond the bound it is read and thrown away, so that the connection can be used again.
          if (bytes < answerBytesMax) chunks.push(chunk);
          bytes += chunk.length;
        });
        response.on("end", () => {
          const text = Buffer.concat(chunks).subarray(0, answerBytesMax).toString();
          const answer = { status: response.statusCode ?? 0, text };
          const unavailable = this.#judge(answer, response.headers["retry-after"]);
          if (unavailable === undefined) resolve(answer);
          else reject(unavailable);
        });
      });
      request.end(body);
    });
  }

  /** Hears of the end of a connection also while nothing is asked. */
  #watch(socket: Socket): void {
    socket.once("close", () => {
      if (this.#isClosed || this.#ending.has(socket)) return;
      this.#settings.lost?.(this.#underWay === 0);
    });
  }

  #judge({ status, text }: HttpAnswer, retryAfter: string | undefined) {
    const { destination, credentialsAdvice, lost } = this.#settings;
    if (status === 401 || status === 403 || status === 407) {
      return new SinkUnavailable(
        `${destination} does not accept these credentials (${status}): ${credentialsAdvice}`,
      );
    }
    if (status >= 300 && status < 400) {
      return new SinkUnavailable(
        `${destination} sends us elsewhere (${status}): give the URL where it leads`,
      );
    }
    if (![408, 425, 429].includes(status) && status >= 200 && status < 500) return undefined;
    if (goneBehindProxy.has(status)) lost?.(false);
    const said = quoteAnswer(text);
    return new SinkUnavailable(`${destination} is not ready (${status})${said}`, {
      retryAfterSeconds: readRetryAfter(retryAfter),
    });
  }
}

/** What proxies answer for a server that they cannot reach. */
const goneBehindProxy: ReadonlySet<number> = new Set([502, 503, 504]);

/** Thrown and caught here. */
class ReusedConnectionClosed extends SinkUnavailable {}

function isClosed(error: NodeJS.ErrnoException): boolean {
  return error.code === "ECONNRESET" || error.code === "EPIPE";
}

const quotedCharactersMax = 300;

/** The begin of what a server said, on one line, as the end of a sentence; nothing where it said nothing. */
export function quoteAnswer(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
  if (line === "") return "";
  return `: ${line.length > quotedCharactersMax ? `${line.slice(0, quotedCharactersMax)} ...` : line}`;
}

/** Seconds or a date: RFC 9110, section 10.2.3. */
function readRetryAfter(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), retryAfterSecondsMax);
}
