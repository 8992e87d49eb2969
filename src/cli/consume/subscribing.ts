/** Asks the broker at each connection for what its session does not have yet, and tells what it refuses. */
import {
  type Connection,
  describeEndpoint,
  describeRefusals,
  describeSystemError,
  ProgramFailure,
  type Talk,
} from "../client/index.ts";
import type { KeptSubscriptions } from "./kept-subscriptions.ts";
import type { ConsumeOptions } from "./options.ts";

export interface SubscribingParts {
  readonly connection: Connection;
  readonly subscriptions: KeptSubscriptions;
  readonly talk: Talk;
  /** After each connection, once the broker sends what is wanted. */
  subscribed(): void;
  /** The broker refuses everything, or the disk does. */
  ended(failure: ProgramFailure): void;
}

export class Subscribing {
  readonly #options: ConsumeOptions;
  readonly #parts: SubscribingParts;
  #wasSubscribed = false;

  constructor(options: ConsumeOptions, parts: SubscribingParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /** MQTT 3.1 does not say whether the session is one that was there. */
  connected(resumed: boolean): void {
    const isKnown = resumed && this.#options.connection.protocolVersion > 3;
    if (!isKnown) this.#attempt(() => this.#parts.subscriptions.forget());
  }

  online(): void {
    this.#attempt(() => {
      const { connection, subscriptions } = this.#parts;
      const unwanted = subscriptions.takeUnwanted(this.#options.topics);
      if (unwanted.length === 0) this.#ask();
      else connection.unsubscribe(unwanted, () => this.#ask());
    });
  }

  #ask(): void {
    const { topics, qos } = this.#options;
    const { connection, subscriptions } = this.#parts;
    const missing = subscriptions.missing(topics, qos);
    const granted = (codes: readonly number[], refusals: readonly string[]) =>
      this.#attempt(() => this.#granted(missing, codes, refusals));
    if (missing.length === 0) granted([], []);
    else {
      connection.subscribe(missing, { qos, rap: true }, (outcome) => {
        const { protocolVersion } = this.#options.connection;
        granted(outcome.codes, describeRefusals(missing, outcome, protocolVersion));
      });
    }
  }

  #granted(asked: readonly string[], codes: readonly number[], refusals: readonly string[]): void {
    const { topics, qos } = this.#options;
    const { subscriptions, talk, ended } = this.#parts;
    const granted = topics.filter((filter) => {
      const code = codes[asked.indexOf(filter)] ?? qos;
      if (code < qos) talk.say(`the broker grants QoS ${code} only for ${filter}, not ${qos}`);
      return code <= qos;
    });
    if (granted.length === 0) {
      ended(new ProgramFailure(refusals.join("; ")));
      return;
    }
    for (const refusal of refusals) talk.say(refusal);
    subscriptions.keep(granted, qos);
    this.#subscribed();
  }

  #subscribed(): void {
    const { talk, subscribed } = this.#parts;
    if (this.#wasSubscribed) talk.say("connected again");
    else talk.say(describeConsuming(this.#options));
    this.#wasSubscribed = true;
    subscribed();
  }

  /** What goes wrong in the data folder ends the program. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof ProgramFailure) this.#parts.ended(error);
      else if (error instanceof Error && "syscall" in error) {
        const reason = `what the session is subscribed to cannot be kept: ${describeSystemError(error)}`;
        this.#parts.ended(new ProgramFailure(reason, { cause: error }));
      } else throw error;
    }
  }
}

function describeConsuming({ topics, connection, course }: ConsumeOptions): string {
  const where = describeEndpoint(connection.endpoint);
  const sinks = course.sinks.map(({ sink }) => sink.destination);
  return `consumes ${topics.join(", ")} from ${where} as ${connection.clientId}, into ${sinks.join(", ")}`;
}
