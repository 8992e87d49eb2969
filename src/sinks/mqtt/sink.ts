/**
 * Publishes batches to another broker. Done when every message has been answered; what was interrupted comes again as a
 * whole, so that a message may arrive twice and never not at all.
 */
import { toVisible } from "../../base/index.ts";
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
const codeNames: ReadonlyMap<number, string> = new Map([
  [0x80, "Unspecified error"],
  [0x83, "Implementation specific error"],
  [0x87, "Not authorized"],
  [0x90, "Topic Name invalid"],
  [0x91, "Packet Identifier in use"],
  [0x93, "Receive Maximum exceeded"],
  [0x95, "Packet too large"],
  [0x96, "Message rate too high"],
  [0x97, "Quota exceeded"],
  [0x99, "Payload format invalid"],
]);
/** Of CONNACK: 3.1.1 and 5.0. */
const unsupportedVersion: ReadonlySet<number> = new Set([0x01, 0x84]);
const badCredentials: ReadonlySet<number> = new Set([0x04, 0x05, 0x86, 0x87]);

export class MqttSink implements Sink {
  readonly #settings: MqttSettings;
  readonly #world: SinkWorld;
  #version: 4 | 5;
  #broker: FarBroker | undefined;
  #hasSeenLoop = false;

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
      const sent: { readonly index: number; readonly outgoing: Outgoing }[] = [];
      for (const [index, { message }] of batch.entries()) {
        const verdict = forward(message, this.#settings, broker.abilities);
        if (verdict.kind === "send") sent.push({ index, outgoing: verdict.outgoing });
        else if (verdict.kind === "refuse") refused.set(index, verdict.reason);
        else this.#sawLoop(message.topic);
      }
      const codes = await broker.publish(sent.map(({ outgoing }) => outgoing));
      for (const [position, code] of codes.entries()) this.#judge(code, sent[position], refused);
      if (refused.size === 0) return sent.length;
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

  #judge(
    code: number,
    { index, outgoing }: { index: number; outgoing: Outgoing },
    refused: Map<number, string>,
  ): void {
    if (code < refusedFrom) return;
    const name = codeNames.get(code) ?? `reason code 0x${code.toString(16)}`;
    if (passingCodes.has(code)) throw new Error(`${name}, of ${toVisible(outgoing.topic)}`);
    refused.set(index, `${name} (0x${code.toString(16)}), as ${outgoing.topic}`);
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
