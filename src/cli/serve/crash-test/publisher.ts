/**
 * Publishes numbered messages to its streams, so many of a round and so many unacknowledged at a time, and writes down what
 * the broker acknowledged. What it did not, MQTT.js sends again when the broker is back.
 */
import type { BrokerChild } from "./broker-child.ts";
import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import { type MessageStream, writePayload } from "./message-stream.ts";
import { Peer, type PeerOptions } from "./peer.ts";

/** After a refusal, before it tries anew. */
const pauseMilliseconds = 200;

export class Publisher {
  readonly #peer: Peer;
  readonly #streams: readonly MessageStream[];
  readonly #chance: Chance;
  readonly #options: PeerOptions;
  #quota = 0;
  #window = 1;
  #underWay = 0;
  #isKnown = false;
  #pausedUntil = 0;

  constructor(
    options: PeerOptions,
    world: {
      readonly broker: Pick<BrokerChild, "port">;
      readonly chance: Chance;
      readonly faults: Faults;
    },
    streams: readonly MessageStream[],
  ) {
    this.#options = options;
    this.#streams = streams;
    this.#chance = world.chance;
    this.#peer = new Peer(options, world.broker, {
      // Before what is sent again is acknowledged, which says nothing of the session at this CONNACK.
      welcomed: (sessionPresent) => {
        if (this.#isKnown && !sessionPresent) {
          world.faults.add("session", `the session of ${options.name}, which publishes`);
        }
      },
      online: () => this.#pump(),
    });
    this.#peer.come();
  }

  /** Not acknowledged yet. */
  get underWay(): number {
    return this.#underWay;
  }

  /** At most `window` under way, and `quota` in all. */
  beginRound(quota: number, window: number): void {
    this.#quota = quota;
    this.#window = window;
    this.#pump();
  }

  cut(): void {
    this.#peer.cut();
  }

  /** What is under way is still settled. */
  stop(): void {
    this.#quota = 0;
  }

  close(): void {
    this.#peer.close();
  }

  #pump(): void {
    while (this.#peer.isOnline && this.#quota > 0 && this.#underWay < this.#window) {
      const waitMilliseconds = this.#pausedUntil - performance.now();
      if (waitMilliseconds > 0) {
        setTimeout(() => this.#pump(), waitMilliseconds).unref();
        return;
      }
      this.#quota -= 1;
      this.#publish(this.#chance.pick(this.#streams));
    }
  }

  #publish(stream: MessageStream): void {
    const number = stream.add();
    const message = { topic: stream.topic, payload: writePayload(stream.topic, number) };
    this.#underWay += 1;
    this.#peer.publish(message, { qos: stream.qos }, ({ refusal }) => {
      this.#underWay -= 1;
      if (refusal === undefined) {
        stream.acknowledge(number);
        this.#isKnown = true;
      } else {
        stream.refuse(number);
        this.#options.note(`${this.#options.name}: the broker refused messages: ${refusal}`);
        this.#pausedUntil = performance.now() + pauseMilliseconds;
      }
      this.#pump();
    });
  }
}
