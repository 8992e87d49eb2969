/** What the broker tells the program that embeds it. Listeners must not throw: a throw is logged and goes no further. */
import type { Log } from "../base/index.ts";
import type { ConnectionEnding } from "./connection-ending.ts";
import { callEmbedding } from "./embedding-call.ts";
import type { ClientIdentity } from "./ports.ts";

export interface BrokerEvents {
  /** CONNACK has been sent. */
  connect: { client: ClientIdentity; sessionPresent: boolean };
  /** A connection that had its CONNACK is over. */
  disconnect: { client: ClientIdentity; ending: ConnectionEnding };
}

type Listener<Event> = (event: Event) => void;

export class Events {
  readonly #listeners = new Map<keyof BrokerEvents, Set<Listener<never>>>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** The function that is answered takes the listener away again. */
  on<Name extends keyof BrokerEvents>(
    name: Name,
    listener: Listener<BrokerEvents[Name]>,
  ): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  emit<Name extends keyof BrokerEvents>(name: Name, event: BrokerEvents[Name]): void {
    const listeners = this.#listeners.get(name) as Set<Listener<BrokerEvents[Name]>> | undefined;
    if (listeners === undefined) return;
    // One that is added or taken away meanwhile counts from the next event on.
    for (const listener of [...listeners]) {
      const what = "a listener of the embedding program";
      callEmbedding(() => listener(event), this.#log, { event: name }, what);
    }
  }
}
