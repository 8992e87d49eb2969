/**
 * Writes to what takes Prometheus' remote write. VictoriaMetrics acknowledges what it has in memory only: what it was
 * given in the last seconds is kept here, and sent once more when it was away, before anything new and by itself. A
 * sample is known by its series and its millisecond, so that this doubles nothing where the destination leaves out what
 * it has already. Always holds: one body is under way at a time.
 */
import { type HttpAnswer, HttpTarget, quoteAnswer } from "../http-post.ts";
import { isReadableOnTheWay } from "../http-settings.ts";
import { KeptDeliveries } from "../kept-deliveries.ts";
import {
  type MappedMessage,
  type Sink,
  SinkRefusal,
  SinkUnavailable,
  type SinkWorld,
} from "../sink.ts";
import { type Sample, toSamples } from "./format.ts";
import type { PrometheusSettings } from "./settings.ts";
import { encodeWriteRequest, writeRequestHeaders } from "./write-request.ts";

const timeoutSeconds = 30;
const returnMilliseconds = 1000;
/** Far below what servers take in one body: 32 MiB. */
const samplesMax = 50_000;

export class PrometheusSink implements Sink {
  readonly #settings: PrometheusSettings;
  readonly #world: SinkWorld;
  readonly #target: HttpTarget;
  readonly #kept: KeptDeliveries;
  /** It may have lost what is kept. */
  #mayHaveLost = false;
  #turn: Promise<void> = Promise.resolve();
  #return: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(settings: PrometheusSettings, world: SinkWorld) {
    this.#settings = settings;
    this.#world = world;
    this.#kept = new KeptDeliveries(settings.resendSeconds);
    this.#target = new HttpTarget({
      ...settings,
      timeoutSeconds,
      headers: { ...settings.headers, ...writeRequestHeaders },
      credentialsAdvice:
        "see --prometheus-user, --prometheus-password-file, --prometheus-token-file",
      lost: (isSeen) => this.#noteLoss(isSeen),
    });
    const { url, headers, destination } = settings;
    if (headers.authorization !== undefined && isReadableOnTheWay(url)) {
      world.say(`${destination}: everybody on the way can read the credentials; use https://`);
    }
  }

  write(batch: readonly MappedMessage[]): Promise<number> {
    return this.#inTurn(async () => {
      await this.#resend();
      const samples = batch.flatMap(toSamples);
      for (let start = 0; start < samples.length; start += samplesMax) {
        await this.#writeBody(samples.slice(start, start + samplesMax));
      }
      return samples.length;
    });
  }

  async close(): Promise<void> {
    clearTimeout(this.#return);
    this.#isClosed = true;
    // Ends a question that is under way.
    this.#target.close();
    await this.#turn;
  }

  #inTurn<T>(job: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(job);
    // Who asked for it hears of a failure.
    this.#turn = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  async #writeBody(samples: readonly Sample[]): Promise<void> {
    const bytes = encodeWriteRequest(samples);
    const answer = await this.#post(bytes);
    if (answer.status >= 300) {
      const { destination } = this.#settings;
      throw new SinkRefusal(
        `${destination} refused it (${answer.status})${quoteAnswer(answer.text)}`,
      );
    }
    this.#kept.add({ bytes, points: samples.length, deliveredAt: nowInSeconds() });
  }

  /** Refused or not: it had them once, and who keeps the order of times says no to what it has still. */
  async #resend(): Promise<void> {
    if (!this.#mayHaveLost) return;
    // It may go away again meanwhile, and come back unnoticed.
    this.#mayHaveLost = false;
    try {
      for (const { bytes } of this.#kept.deliveries) await this.#post(bytes);
    } catch (error) {
      this.#mayHaveLost = true;
      throw error;
    }
    if (this.#kept.points === 0) return;
    this.#kept.renew(nowInSeconds());
    const { destination } = this.#settings;
    this.#world.say(
      `${destination} was away: the last ${this.#kept.points} samples were sent again`,
    );
  }

  /** @throws SinkUnavailable also where remote write is not what is answered there */
  async #post(body: Buffer): Promise<HttpAnswer> {
    const { url, destination } = this.#settings;
    const answer = await this.#target.post({ url, body });
    if (answer.status < 300 || refusals.has(answer.status)) return answer;
    const said = quoteAnswer(answer.text);
    throw new SinkUnavailable(
      `${destination} takes no remote write at this path (${answer.status})${said}; see --prometheus-url, and for Prometheus itself --web.enable-remote-write-receiver`,
    );
  }

  /** Where the end of the connection was seen, what is older than that is on its disk. */
  #noteLoss(isSeen: boolean): void {
    if (isSeen && !this.#mayHaveLost) this.#kept.removeOld(nowInSeconds());
    this.#mayHaveLost = true;
    this.#awaitReturn();
  }

  /** Nobody may write for long. */
  #awaitReturn(): void {
    clearTimeout(this.#return);
    if (this.#isClosed || this.#kept.points === 0) return;
    this.#return = setTimeout(() => {
      this.#inTurn(() => this.#resend()).catch(() => this.#awaitReturn());
    }, returnMilliseconds).unref();
  }
}

/** What is said of the samples: out of order, too old, too large. */
const refusals: ReadonlySet<number> = new Set([400, 409, 413, 422]);

function nowInSeconds(): number {
  return performance.now() / 1000;
}
