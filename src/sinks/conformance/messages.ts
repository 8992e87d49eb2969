/** Messages for the checks, each a second after the one before, of the last hours: Graphite keeps no other times. */
import { type FieldValue, type Series, valueField } from "../../readings/index.ts";
import type { MappedMessage } from "../sink.ts";

const microsecondsPerSecond = 1_000_000;
const hoursBack = 3;
/** Not divisible by milliseconds, so that who cuts microseconds off is found out. */
const oddMicroseconds = 123_457;

type Fields = Readonly<Record<string, FieldValue>>;

export interface MessageParts {
  readonly topic?: string;
  /** By default the topic. */
  readonly name?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly units?: Readonly<Record<string, string>>;
  readonly fields: Fields;
  /** Microseconds since 1970; by default it is arrival. */
  readonly time?: number;
}

/** Makes messages; each has an arrival of its own. */
export class MessageMaker {
  readonly #start =
    Math.floor(Date.now() / 1000 - hoursBack * 3600) * microsecondsPerSecond + oddMicroseconds;
  #count = 0;

  make({ topic = "site/hall/temp", name = topic, time, ...parts }: MessageParts): MappedMessage {
    const arrivedAt = this.#start + this.#count * microsecondsPerSecond;
    this.#count += 1;
    const series: Series = {
      topic,
      name,
      tags: inOrder(parts.tags ?? {}),
      units: inOrder(parts.units ?? {}),
    };
    return {
      message: { topic, payload: payloadOf(parts.fields), qos: 1, retain: false, arrivedAt },
      readings: [
        { series, time: time ?? arrivedAt, fields: new Map(Object.entries(parts.fields)) },
      ],
    };
  }

  /** A number that is in no other message. */
  number(topic?: string): MappedMessage {
    return this.make({ topic, fields: { value: this.#count + 0.5 } });
  }

  numbers(count: number, topic?: string): readonly MappedMessage[] {
    return Array.from({ length: count }, () => this.number(topic));
  }
}

function inOrder(record: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(record).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** What a device would have sent, for sinks of whole messages. */
function payloadOf(fields: Fields): Buffer {
  const keys = Object.keys(fields);
  const isPlain = keys.length === 1 && keys[0] === valueField;
  return Buffer.from(isPlain ? String(fields[valueField]) : JSON.stringify(fields));
}

/** Texts that a careless sink takes for syntax, or that mean something to the destination. */
export const difficultTexts = [
  "two words",
  " leading and trailing ",
  "a,b=c d=1 2",
  "a;b=c;d",
  "semicolon'; DROP TABLE readings; --",
  'double "quotes" and \\ backslash\\',
  "line\nend 1 1\r\ncarriage return",
  "tab\tand bell\u0007 and escape \u001b[31m",
  "=", // A formula to a table calculation, a separator to InfluxDB.
  "=1+1",
  "-1",
  "..",
  ".hidden.",
  "../../etc/passwd",
  "%s%n{}$1",
  "\u0001\u007f\u0085\u2028",
  "é and e\u0301",
  "温度 🦀",
  "time",
  "_time",
  "name",
  "topic",
  "value",
  "__name__",
  "constructor",
  "true",
  "null",
  "1e3",
  "x".repeat(150),
] as const;
