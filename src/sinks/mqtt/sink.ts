/**
 * Publishes batches to another broker. Done when every message has been answered; what was interrupted comes again as a
 * whole, so that a message may arrive twice and never not at all.
 */
import { describeReasonCode, toVisible } from "../../base/index.ts";
import type { ConsumedMessage } from "../../readings/index.ts";
import { describeNetworkError } from "../network-error.ts";
import {
  type MappedMessage,
  type Sink,
  SinkRefusal,
  SinkUnavailable,
  type SinkWorld,
} from "../sink.ts";
import { ConnectRefused, FarBroker } from "./far-broker.ts";
import { forward, type Outgoing } from "./format.ts";
import type { MqttSettings } from "./settings.ts";

/** Of PUBACK and PUBREC: 5.0, section 2.4. */
const refusedFrom = 0x80;
/** Those that are not about the message: Packet Identifier in use, Receive Maximum exceeded, Message rate too high, Quota exceeded. */
const passingCodes: ReadonlySet<number> = new Set([0x91, 0x93, 0x96, 0x97]);
/** Of CONNACK: 3.1.1 and 5.0. */
const unsupportedVersion: ReadonlySet<number> = new Set([0x01, 0x84]);
const badCredentials: ReadonlySet<number> = new Set([0x04, 0x05, 0x86, 0x87]);

interface Sent {
  /** In the batch. */
  readonly index: number;
  readonly message: ConsumedMessage;
  readonly outgoing: Outgoing;
}

export class MqttSink implements Sink {
  readonly #settings: MqttSettings;
  readonly #world: SinkWorld;
  #version: 4 | 5;
  #broker: FarBroker | undefined;
  #hasSeenLoop = false;
  /** Of batches that come again for the sake of others: the broker has these. */
  readonly #taken = new WeakSet<ConsumedMessage>();

  constructor(settings: MqttSettings, world: SinkWorld) {
    this.#settings = settings;
    this.#world = world;
    this.#version = settings.version ?? 5;
  }

  async write(batch: readonly MappedMessage[]): Promise<number> {
    const refused = new Map<number, string>();
    try {
      if (this.#broker?.isOver) await this.#forget();
      this.#broker ??= await this.#open();
      const broker = this.#broker;
      const sent: Sent[] = [];
      let takenBefore = 0;
      for (const [index, { message }] of batch.entries()) {
        if (this.#taken.has(message)) {
          takenBefore += 1;
          continue;
        }
        const verdict = forward(message, this.#settings, broker.abilities);
        if (verdict.kind === "send") sent.push({ index, message, outgoing: verdict.outgoing });
        else if (verdict.kind === "refuse") refused.set(index, verdict.reason);
        else this.#sawLoop(message.topic);
      }
      const codes = await broker.publish(sent.map(({ outgoing }) => outgoing));
      this.#judge(codes, sent, refused);
      if (refused.size === 0) return takenBefore + sent.length;
    } catch (error) {
      await this.#forget();
      throw this.#describe(error);
    }
    const message = `${this.#settings.destination} refused ${refused.size} of ${batch.length} messages`;
    throw new SinkRefusal(message, { refused });
  }

  async close(): Promise<void> {
    const broker = this.#broker;
    this.#broker = undefined;
    await broker?.end(true);
  }

  async #open(): Promise<FarBroker> {
    try {
      return await FarBroker.open(this.#settings, this.#version);
    } catch (error) {
      const isOld = error instanceof ConnectRefused && unsupportedVersion.has(error.code);
      if (!isOld || this.#version === 4 || this.#settings.version !== undefined) throw error;
    }
    const broker = await FarBroker.open(this.#settings, 4);
    this.#version = 4;
    const { destination } = this.#settings;
    this.#world.say(
      `${destination} speaks only MQTT 3.1.1, without properties and loop protection`,
    );
    return broker;
  }

  async #forget(): Promise<void> {
    const broker = this.#broker;
    this.#broker = undefined;
    await broker?.end(false);
  }

  /** @throws what the broker may have room for later; then the rest is noted as taken */
  #judge(codes: readonly number[], sent: readonly Sent[], refused: Map<number, string>): void {
    const passing = codes.findIndex((code) => passingCodes.has(code));
    for (const [position, { index, message, outgoing }] of sent.entries()) {
      const code = codes[position];
      if (code >= refusedFrom) {
        refused.set(index, `${describeReasonCode(code)}, as ${outgoing.topic}`);
      } else if (passing >= 0) this.#taken.add(message);
    }
    if (passing < 0) return;
    const { topic } = sent[passing].outgoing;
    throw new Error(`${describeReasonCode(codes[passing])}, of ${toVisible(topic)}`);
  }

  #sawLoop(topic: string): void {
    if (this.#hasSeenLoop) return;
    this.#hasSeenLoop = true;
    const { bridge, destination } = this.#settings;
    this.#world.say(
      `${destination}: messages that passed the bridge ${bridge} already are left out, first ${toVisible(topic)}`,
    );
  }

  #describe(error: unknown): SinkUnavailable {
    const cause = error instanceof Error ? error : new Error(String(error));
    const { destination } = this.#settings;
    if (cause instanceof ConnectRefused && badCredentials.has(cause.code)) {
      const remedy =
        "the user of --mqtt-url, TSTACK_SINK_MQTT_PASSWORD or --mqtt-password-file is wrong";
      return new SinkUnavailable(`${destination} does not let us in: ${remedy}`, { cause });
    }
    if (cause.message === "connack timeout") {
      return new SinkUnavailable(`${destination} does not answer CONNECT`, { cause });
    }
    const text = describeNetworkError(cause);
    return new SinkUnavailable(`${destination} does not take messages: ${text}`, { cause });
  }
}
