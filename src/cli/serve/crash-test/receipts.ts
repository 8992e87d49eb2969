/**
 * What one session, or all members of one shared subscription together, has received: each number of each stream how often,
 * and in which order first. QoS 1 may come twice; QoS 2 may not, and nothing that was acknowledged may stay away.
 */
import { ByteList } from "./byte-list.ts";
import type { Faults } from "./faults.ts";
import { type MessageStream, readPayload } from "./message-stream.ts";

export interface ReceiptsOptions {
  /** As faults name it. */
  readonly name: string;
  /** Of the subscription. */
  readonly qos: 1 | 2;
  /** Members of a shared subscription do not see one order. */
  readonly isOrdered: boolean;
}

interface Row {
  readonly stream: MessageStream;
  readonly counts: ByteList;
  highest: number;
}

const countMax = 255;

export class Receipts {
  readonly #options: ReceiptsOptions;
  readonly #rows: ReadonlyMap<string, Row>;
  readonly #faults: Faults;
  #received = 0;
  #again = 0;

  constructor(options: ReceiptsOptions, streams: readonly MessageStream[], faults: Faults) {
    this.#options = options;
    this.#faults = faults;
    this.#rows = new Map(
      streams.map((stream) => [stream.topic, { stream, counts: new ByteList(), highest: -1 }]),
    );
  }

  /** Messages, each counted once. */
  get received(): number {
    return this.#received;
  }

  /** Of QoS 1, beyond the first. */
  get again(): number {
    return this.#again;
  }

  /** A message as it came; QoS 2 only once its packet identifier has been found to be a new one. */
  take(topic: string, payload: Buffer): void {
    const { name } = this.#options;
    const row = this.#rows.get(topic);
    const number = row && readPayload(topic, payload);
    if (row === undefined || number === undefined || number >= row.stream.sent) {
      const text = payload.toString("latin1", 0, 20);
      this.#faults.add("damaged", `${name} received from ${topic} what nobody sent: ${text}`);
      return;
    }
    const count = row.counts.get(number);
    row.counts.set(number, Math.min(count + 1, countMax));
    if (count > 0) this.#takeAgain(row, number);
    else this.#takeFirst(row, number);
  }

  #takeFirst(row: Row, number: number): void {
    this.#received += 1;
    if (number > row.highest) row.highest = number;
    else if (this.#options.isOrdered) {
      const text = `${this.#options.name} received ${row.stream.describe(number)} after ${row.highest}`;
      this.#faults.add("order", text);
    }
  }

  #takeAgain({ stream }: Row, number: number): void {
    if (Math.min(stream.qos, this.#options.qos) === 1) this.#again += 1;
    else
      this.#faults.add("twice", `${this.#options.name} received twice ${stream.describe(number)}`);
  }

  /** Whether everything that was acknowledged is there. */
  get isComplete(): boolean {
    let acknowledged = 0;
    for (const { stream } of this.#rows.values()) acknowledged += stream.acknowledged;
    if (this.#received < acknowledged) return false; // most of the time there is no need to look closer
    for (const { stream, counts } of this.#rows.values()) {
      for (let number = 0; number < stream.sent; number++) {
        if (stream.isAcknowledged(number) && counts.get(number) === 0) return false;
      }
    }
    return true;
  }

  /**
   * Adds what was acknowledged and is not there. `isDrained` says that it should be by now; else only what a later message
   * of the same stream has overtaken is missing for sure.
   */
  addMissing(isDrained: boolean): void {
    const { name, isOrdered } = this.#options;
    for (const { stream, counts, highest } of this.#rows.values()) {
      const end = isDrained ? stream.sent : isOrdered ? highest : 0;
      for (let number = 0; number < end; number++) {
        if (stream.isAcknowledged(number) && counts.get(number) === 0) {
          this.#faults.add("missing", `${name} never received ${stream.describe(number)}`);
        }
      }
    }
  }
}
