/**
 * How one sink is, and what people are told of it: each trouble once, when it begins and when it is over, not for each
 * attempt.
 */
import type { Talk } from "../client/index.ts";
import type { SinkState } from "./pipeline-options.ts";

export class SinkHealth {
  readonly #destination: string;
  readonly #talk: Talk;
  readonly #spooled: () => number;
  #unavailable: string | undefined;
  #spoolTrouble: string | undefined;
  #spooling = false;
  #toldFull = false;
  #toldFailure = false;

  /** @param spooled messages in its spool */
  constructor(destination: string, talk: Talk, spooled: () => number) {
    this.#destination = destination;
    this.#talk = talk;
    this.#spooled = spooled;
  }

  get state(): SinkState {
    if (this.#spoolTrouble !== undefined) return "full";
    if (this.#spooling || this.#spooled() > 0) return "spooling";
    return this.#unavailable === undefined ? "flowing" : "retrying";
  }

  get isUnavailable(): boolean {
    return this.#unavailable !== undefined;
  }

  get lastError(): string | undefined {
    return this.#spoolTrouble ?? this.#unavailable;
  }

  /** @param message with the destination in it */
  unavailable(message: string): void {
    if (this.#unavailable === undefined) this.#talk.say(`${message}; it is tried again`);
    else this.#talk.debug(message);
    this.#unavailable = message;
  }

  spooling(file: string): void {
    if (this.#spooling) return;
    this.#spooling = true;
    this.#unavailable ??= "it has not answered";
    this.#talk.say(`what comes for ${this.#destination} is kept in ${file} until it takes it`);
  }

  available(): void {
    if (this.#unavailable === undefined) return;
    const waiting = this.#spooled();
    this.#unavailable = undefined;
    const rest = waiting > 0 ? `, ${waiting} messages that were kept on the disk go there now` : "";
    this.#talk.say(`${this.#destination} is well again${rest}`);
  }

  /** What comes waits in memory until there is room. Told once until the spool has been empty. */
  spoolFull(file: string, bytesMax: number): void {
    const message = `${file} is full (${bytesMax} bytes)`;
    this.#spoolTrouble = message;
    if (this.#toldFull) return;
    this.#toldFull = true;
    this.#talk.say(`${message}: until there is room, nothing more is taken from the broker`);
  }

  /** What comes waits in memory until it can be written. */
  spoolFailed(message: string): void {
    if (!this.#toldFailure) {
      this.#talk.say(`${message}; until then nothing more is taken from the broker`);
    }
    this.#toldFailure = true;
    this.#spoolTrouble = message;
  }

  spoolWritten(): void {
    this.#toldFailure = false;
    this.#spoolTrouble = undefined;
  }

  spoolEmpty(): void {
    this.spoolWritten();
    this.#toldFull = false;
    this.#spooling = false;
  }
}
