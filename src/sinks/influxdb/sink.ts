/**
 * Writes to InfluxDB: lines in bodies of bounded size, one after the other over a connection that stays open. A point
 * is known by its series and time, so that what is written again is there once. Of a body that was written in part,
 * what was refused is found where the answer names it, and the rest is written once more to be sure of it.
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
import { findRefused, readError } from "./answer.ts";
import { type Body, divideIntoBodies } from "./body.ts";
import type { InfluxdbSettings } from "./settings.ts";

const compress = promisify(gzip);
/** The fastest: lines are so much alike that it takes five sixths away. */
const compressionLevel = 1;
const compressedBytesMin = 1024;
const timeoutSeconds = 30;
/** How often what a body was refused for is taken out of it before somebody else divides it. */
const attemptsMax = 16;

export class InfluxdbSink implements Sink {
  readonly #settings: InfluxdbSettings;
  readonly #world: SinkWorld;
  readonly #target: HttpTarget;

  constructor(settings: InfluxdbSettings, world: SinkWorld) {
    this.#settings = settings;
    this.#world = world;
    this.#target = new HttpTarget({ ...settings, timeoutSeconds });
    const { writeUrl, headers, destination } = settings;
    if (headers.authorization !== undefined && isReadableOnTheWay(writeUrl)) {
      world.say(`${destination}: everybody on the way can read the credentials; use https://`);
    }
  }

  async write(batch: readonly MappedMessage[]): Promise<number> {
    const refused = new Map<number, string>();
    let records = 0;
    for (const body of divideIntoBodies(batch)) {
      records += await this.#writeBody(body, refused);
    }
    if (refused.size === 0) return records;
    const { destination } = this.#settings;
    throw new SinkRefusal(`${destination} refused ${refused.size} messages`, { refused });
  }

  async close(): Promise<void> {
    this.#target.close();
  }

  /** The number of lines that were written. Puts into `refused` what was not. */
  async #writeBody(body: Body, refused: Map<number, string>): Promise<number> {
    let lines = body;
    for (let attempt = 1; lines.length > 0; attempt++) {
      const answer = await this.#post(lines.map(({ text }) => text).join(""));
      if (answer.status < 300) return lines.length;
      const found = findRefused(answer, lines);
      const reason = `${this.#settings.destination} refused it (${answer.status})${quoteAnswer(readError(answer))}`;
      if (found.size === 0 || attempt === attemptsMax) throw new SinkRefusal(reason);
      for (const [index, said] of found) refused.set(index, said);
      lines = lines.filter(({ index }) => !found.has(index));
    }
    return 0;
  }

  async #post(text: string): Promise<HttpAnswer> {
    const { writeUrl: url, destination, absenceAdvice } = this.#settings;
    const plain = Buffer.from(text);
    const question =
      plain.length < compressedBytesMin
        ? { url, body: plain }
        : {
            url,
            body: await compress(plain, { level: compressionLevel }),
            headers: { "content-encoding": "gzip" },
          };
    let answer = await this.#target.post(question);
    if (isDatabaseAbsent(answer) && (await this.#createDatabase())) {
      answer = await this.#target.post(question);
    }
    const said = quoteAnswer(readError(answer));
    if (answer.status < 300 && answer.text !== "") {
      throw new SinkUnavailable(
        `${destination} does not answer as InfluxDB does (${answer.status})${said}; see --influxdb-url`,
      );
    }
    if (answer.status < 300 || refusals.has(answer.status)) return answer;
    throw new SinkUnavailable(
      `${destination} is not there (${answer.status})${said}; ${absenceAdvice}`,
    );
  }

  /** False where only people can do it: there is a version whose databases are made otherwise. */
  async #createDatabase(): Promise<boolean> {
    const { creation, destination } = this.#settings;
    if (creation === undefined) return false;
    const answer = await this.#target.post({
      url: creation.url,
      body: Buffer.from(creation.form),
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    const error = readError(answer);
    if (answer.status >= 300 || error !== "") {
      const said = quoteAnswer(error);
      throw new SinkUnavailable(`${destination} is not there and cannot be made${said}`);
    }
    this.#world.say(`${destination}: the database was not there, and has been made`);
    return true;
  }
}

/** What is said of the lines. Everything else is about the address. */
const refusals: ReadonlySet<number> = new Set([400, 413, 422]);

function isDatabaseAbsent(answer: HttpAnswer): boolean {
  return answer.status === 404 && readError(answer).startsWith("database not found");
}
