/**
 * What one publisher sends to one topic, numbered from 0, and what the broker said to each number. A payload is made of its
 * topic and number alone, so that what arrives can be held against what was sent.
 */
import { ByteList } from "./byte-list.ts";

const state = { waiting: 0, acknowledged: 1, refused: 2 } as const;

/** Payloads have up to so many bytes of filling; a few have much more, and span pages of a database. */
const fillingBytesMax = 200;
const largeFillingBytes = 9000;
const largeEvery = 97;

export class MessageStream {
  readonly topic: string;
  readonly qos: 1 | 2;
  readonly #states = new ByteList();
  /** The first number of each round. */
  readonly #rounds: number[] = [];
  #sent = 0;
  #acknowledged = 0;
  #refused = 0;

  constructor(topic: string, qos: 1 | 2) {
    this.topic = topic;
    this.qos = qos;
  }

  get sent(): number {
    return this.#sent;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get refused(): number {
    return this.#refused;
  }

  beginRound(): void {
    this.#rounds.push(this.#sent);
  }

  /** The number of a new message. */
  add(): number {
    this.#sent += 1;
    return this.#sent - 1;
  }

  acknowledge(number: number): void {
    this.#states.set(number, state.acknowledged);
    this.#acknowledged += 1;
  }

  refuse(number: number): void {
    this.#states.set(number, state.refused);
    this.#refused += 1;
  }

  isAcknowledged(number: number): boolean {
    return this.#states.get(number) === state.acknowledged;
  }

  /** `message 17 of crash/p1/a (QoS 1, sent in round 3)` */
  describe(number: number): string {
    const round = this.#rounds.filter((first) => first <= number).length;
    return `message ${number} of ${this.topic} (QoS ${this.qos}, sent in round ${round})`;
  }
}

export function writePayload(topic: string, number: number): Buffer {
  const isLarge = number % largeEvery === largeEvery - 1;
  const length = isLarge ? largeFillingBytes : (number * 37) % (fillingBytesMax + 1);
  return Buffer.from(`${number} ${topic} ${String(number % 10).repeat(length)}`);
}

/** The number in a payload; undefined unless every byte is as `writePayload` makes it. */
export function readPayload(topic: string, payload: Buffer): number | undefined {
  const number = Number.parseInt(payload.toString("latin1", 0, 12), 10);
  if (!(number >= 0)) return undefined;
  return writePayload(topic, number).equals(payload) ? number : undefined;
}
