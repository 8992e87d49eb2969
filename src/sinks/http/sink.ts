/**
 * Posts batches to a webhook. A batch is written when it was answered with 2xx. What may be mended there - credentials,
 * the path, load, a fault of the server - is waited for; only a verdict on what was sent is a refusal.
 */
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { type HttpAnswer, HttpTarget, quoteAnswer } from "../http-post.ts";
import { isReadableOnTheWay } from "../http-settings.ts";
import {
  type MappedMessage,
  type Sink,
  SinkRefusal,
  SinkUnavailable,
  type SinkWorld,
} from "../sink.ts";
import { contentTypeOf, formatBody, makeIdempotencyKey, sign } from "./format.ts";
import type { HttpSettings } from "./settings.ts";

const compress = promisify(gzip);

/** Without path and query: they may hold a secret. */
export function describeWebhook({ url }: HttpSettings): string {
  return `webhook at ${url.origin}`;
}

/** What is said of the batch. Everything else is about where and how it is sent. */
const refusals: ReadonlySet<number> = new Set([400, 409, 413, 422]);
const advice: Readonly<Record<number, string>> = {
  404: "is the path of --http-url right?",
  405: "nothing is posted there: is the path of --http-url right?",
  410: "it was there once: is the path of --http-url right?",
  415: "it does not read this: another --http-format, or no --http-gzip",
};

export class HttpSink implements Sink {
  readonly #settings: HttpSettings;
  readonly #destination: string;
  readonly #target: HttpTarget;

  constructor(settings: HttpSettings, world: SinkWorld) {
    const { url, token, timeoutSeconds, ca, format, isCompressed } = settings;
    this.#settings = settings;
    this.#destination = describeWebhook(settings);
    this.#target = new HttpTarget({
      destination: this.#destination,
      timeoutSeconds,
      headers: {
        "user-agent": "tstack",
        "content-type": contentTypeOf[format],
        ...(isCompressed && { "content-encoding": "gzip" }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      credentialsAdvice: "are --http-token and --http-secret right?",
      ca,
    });
    if (token !== undefined && isReadableOnTheWay(url)) {
      world.say(`${this.#destination}: everybody on the way can read the token; use https://`);
    }
  }

  async write(batch: readonly MappedMessage[]): Promise<number> {
    const records = batch.reduce((count, { readings }) => count + readings.length, 0);
    if (records === 0) return 0;
    const { url, format, isCompressed, secret } = this.#settings;
    const text = formatBody(batch, format);
    const body = isCompressed ? await compress(text) : Buffer.from(text);
    const headers = {
      "idempotency-key": makeIdempotencyKey(text),
      ...(secret !== undefined && { "tstack-signature": sign(body, secret, new Date()) }),
    };
    this.#judge(await this.#target.post({ url, body, headers }));
    return records;
  }

  async close(): Promise<void> {
    this.#target.close();
  }

  #judge({ status, text }: HttpAnswer): void {
    if (status >= 200 && status < 300) return;
    const said = quoteAnswer(text);
    if (refusals.has(status)) {
      throw new SinkRefusal(`${this.#destination} refuses it (${status})${said}`);
    }
    const todo = advice[status] ?? `is it what --http-url should name?${said}`;
    throw new SinkUnavailable(`${this.#destination} answers ${status}: ${todo}`);
  }
}
