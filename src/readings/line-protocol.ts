/**
 * Reads InfluxDB's line protocol: `weather,place=roof temperature=21.5,count=3i 1700000000000000000`. One line is one
 * reading; lines that are empty or begin with # say nothing. What it has read is as the line says it, escapes resolved.
 */
import { linesMax, nameLengthMax, tagsMax, textLengthMax } from "./bounds.ts";
import { FieldCollector } from "./field-collector.ts";
import { type NumericTimeUnit, readWholeTime } from "./payload-time.ts";
import type { FieldValue } from "./reading.ts";
import { unreadable } from "./refusals.ts";

export interface ProtocolLine {
  readonly measurement: string;
  readonly tags: ReadonlyMap<string, string>;
  readonly fields: ReadonlyMap<string, FieldValue>;
  /** Microseconds since 1970, where the line says a time. */
  readonly time: number | undefined;
}

/** @throws TstackError PAYLOAD_UNREADABLE with the number of the line */
export function readLineProtocol(text: string, precision: NumericTimeUnit): ProtocolLine[] {
  const lines: ProtocolLine[] = [];
  const cursor = new Cursor(text);
  while (cursor.skipToLine()) {
    if (lines.length === linesMax) throw unreadable(`the payload has more than ${linesMax} lines`);
    lines.push(readLine(cursor, precision));
  }
  return lines;
}

function readLine(cursor: Cursor, precision: NumericTimeUnit): ProtocolLine {
  const measurement = cursor.readWord(", ");
  if (measurement === "") cursor.fail("begins with no measurement");
  const tags = readTags(cursor);
  if (!cursor.takeSpaces()) cursor.fail("has no fields: MEASUREMENT,TAG=VALUE FIELD=VALUE TIME");
  const collector = new FieldCollector();
  do {
    const name = cursor.readWord(",= ");
    if (name === "" || !cursor.take("=")) cursor.fail("has a field that is not NAME=VALUE");
    collector.set(name, readValue(cursor));
  } while (cursor.take(","));
  const time = cursor.takeSpaces() && !cursor.isAtLineEnd() ? cursor.readWord(" ") : undefined;
  cursor.takeSpaces();
  if (!cursor.isAtLineEnd()) cursor.fail("has something behind its end");
  if (time !== undefined && !/^-?\d{1,20}$/.test(time)) cursor.fail("has a time that is no number");
  const { fields } = collector;
  return {
    measurement,
    tags,
    fields,
    time: time === undefined ? undefined : readWholeTime(time, precision),
  };
}

function readTags(cursor: Cursor): Map<string, string> {
  const tags = new Map<string, string>();
  while (cursor.take(",")) {
    const name = cursor.readWord(",= ");
    if (name === "" || !cursor.take("=")) cursor.fail("has a tag that is not NAME=VALUE");
    const value = cursor.readWord(",= ");
    if (value === "") cursor.fail("has a tag without a value");
    if (name.length > nameLengthMax) cursor.fail(`has a tag of more than ${nameLengthMax} letters`);
    tags.set(name, value);
    if (tags.size > tagsMax) cursor.fail(`has more than ${tagsMax} tags`);
  }
  return tags;
}

const truths: ReadonlyMap<string, boolean> = new Map([
  ...["t", "T", "true", "True", "TRUE"].map((word) => [word, true] as const),
  ...["f", "F", "false", "False", "FALSE"].map((word) => [word, false] as const),
]);
const numberPattern = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const wholePattern = /^(?:-?\d+i|\d+u)$/;

function readValue(cursor: Cursor): FieldValue {
  if (cursor.take('"')) return cursor.readQuoted();
  const word = cursor.readWord(", ");
  const truth = truths.get(word);
  if (truth !== undefined) return truth;
  const bare = wholePattern.test(word) ? word.slice(0, -1) : word;
  const value = numberPattern.test(bare) ? Number(bare) : Number.NaN;
  if (Number.isFinite(value)) return value;
  return cursor.fail("has a value that is no number, true, false, or text in quotes");
}

/** A place in the text, which only moves on. */
class Cursor {
  readonly #text: string;
  #index = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  /** To the first letter of the next line that says something; false at the end of the text. */
  skipToLine(): boolean {
    for (; this.#index < this.#text.length; this.#index++) {
      const letter = this.#text[this.#index];
      if (letter === "\n") this.#line++;
      else if (letter === "#") this.#index = this.#findLineEnd() - 1;
      else if (letter !== " " && letter !== "\t" && letter !== "\r") return true;
    }
    return false;
  }

  isAtLineEnd(): boolean {
    const { [this.#index]: letter } = this.#text;
    return letter === undefined || letter === "\n" || this.#text.startsWith("\r\n", this.#index);
  }

  take(letter: string): boolean {
    if (this.#text[this.#index] !== letter) return false;
    this.#index++;
    return true;
  }

  takeSpaces(): boolean {
    const start = this.#index;
    while (this.#text[this.#index] === " ") this.#index++;
    return this.#index > start;
  }

  /** Up to one of `ends` or the end of the line; a backslash before one of `,= ` makes it a letter. */
  readWord(ends: string): string {
    let word = "";
    const start = this.#index;
    for (; !this.isAtLineEnd(); this.#index++) {
      let letter = this.#text[this.#index];
      if (ends.includes(letter)) break;
      if (this.#index - start > textLengthMax) this.fail("has a word that is too long");
      const next = this.#text[this.#index + 1];
      if (letter === "\\" && next !== undefined && ",= ".includes(next)) {
        letter = next;
        this.#index++;
      }
      word += letter;
    }
    return word;
  }

  /** From behind the opening quote to behind the closing one; lines may end in between. */
  readQuoted(): string {
    let text = "";
    for (; this.#index < this.#text.length; this.#index++) {
      let letter = this.#text[this.#index];
      if (letter === '"') {
        this.#index++;
        return text;
      }
      const next = this.#text[this.#index + 1];
      if (letter === "\\" && (next === '"' || next === "\\")) {
        letter = next;
        this.#index++;
      }
      if (letter === "\n") this.#line++;
      text += letter;
    }
    return this.fail("has text whose quotes do not end");
  }

  fail(message: string): never {
    throw unreadable(`line ${this.#line} of the payload ${message}`);
  }

  #findLineEnd(): number {
    const end = this.#text.indexOf("\n", this.#index);
    return end === -1 ? this.#text.length : end;
  }
}
