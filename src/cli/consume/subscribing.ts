/** Asks the broker at each connection for what its session does not have, and tells what it refuses. */
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

/** Which retained messages a SUBSCRIBE brings. (5.0, section 3.8.3.1) */
const RetainHandling = { send: 0, sendIfNew: 1 } as const;

interface Refused {
  readonly filters: readonly string[];
  readonly reasons: readonly string[];
}

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

  /**
   * What the session should have is asked for as well: a broker that crashed may have kept the session and lost that. But
   * before MQTT 5 all retained messages would come again at each connection.
   */
  #ask(): void {
    const { topics, qos, connection } = this.#options;
    const missing = this.#parts.subscriptions.missing(topics, qos);
    const known = topics.filter((filter) => !missing.includes(filter));
    const asked = connection.protocolVersion === 5 ? known : [];
    this.#subscribe(asked, RetainHandling.sendIfNew, (refused) => {
      this.#subscribe(missing, RetainHandling.send, (others) => {
        this.#granted(new Set([...refused.filters, ...others.filters]), [
          ...refused.reasons,
          ...others.reasons,
        ]);
      });
    });
  }

  #subscribe(
    filters: readonly string[],
    retainHandling: 0 | 1,
    settled: (refused: Refused) => void,
  ): void {
    if (filters.length === 0) {
      settled({ filters: [], reasons: [] });
      return;
    }
    const { connection, talk } = this.#parts;
    const { qos, connection: options } = this.#options;
    connection.subscribe(filters, { qos, rap: true, rh: retainHandling }, (outcome) => {
      for (const [index, code] of outcome.codes.entries()) {
        if (code >= qos) continue;
        talk.say(`the broker grants QoS ${code} only for ${filters[index]}, not ${qos}`);
      }
      const refused = filters.filter((_, index) => outcome.codes[index] > qos);
      const reasons = describeRefusals(filters, outcome, options.protocolVersion);
      this.#attempt(() => settled({ filters: refused, reasons }));
    });
  }

  #granted(refused: ReadonlySet<string>, reasons: readonly string[]): void {
    const { topics, qos } = this.#options;
    const { subscriptions, talk, ended } = this.#parts;
    const granted = topics.filter((filter) => !refused.has(filter));
    if (granted.length === 0) {
      ended(new ProgramFailure(reasons.join("; ")));
      return;
    }
    for (const reason of reasons) talk.say(reason);
    subscriptions.keep(granted, qos);
    this.#subscribed(granted);
  }

  #subscribed(granted: readonly string[]): void {
    const { talk, subscribed } = this.#parts;
    if (this.#wasSubscribed) talk.say("connected again");
    else talk.say(describeConsuming({ ...this.#options, topics: granted }));
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
