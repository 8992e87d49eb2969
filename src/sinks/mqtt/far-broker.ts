/**
 * One connection to the other broker, on MQTT.js: opens it, and publishes many messages within the broker's Receive
 * Maximum until each has been answered. It is never mended: whoever sees it fail ends it and opens another.
 */
import type { IConnackPacket, MqttClient, Packet } from "mqtt";
import { describeReasonCode } from "../../base/index.ts";
import type { Abilities, Outgoing } from "./format.ts";
import type { MqttSettings } from "./settings.ts";

/** In flight at most, where the broker allows more: beyond that it is not faster. */
const inFlightMax = 1000;
const keepAliveSeconds = 30;

/** The other broker answered CONNECT, and not with yes. */
export class ConnectRefused extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export class FarBroker {
  readonly abilities: Abilities;
  readonly #client: MqttClient;
  readonly #receiveMaximum: number;
  readonly #answerMillisecondsMax: number;
  /** Rejects when the connection is over. */
  readonly #over: Promise<never>;

  private constructor(client: MqttClient, connack: IConnackPacket, settings: MqttSettings) {
    const { properties } = connack;
    const version = client.options.protocolVersion === 5 ? 5 : 4;
    this.abilities = {
      version,
      maximumQos: (properties?.maximumQoS ?? 2) as 0 | 1 | 2,
      retainAvailable: properties?.retainAvailable !== false,
      maximumPacketBytes: properties?.maximumPacketSize ?? Number.POSITIVE_INFINITY,
    };
    this.#client = client;
    this.#receiveMaximum = Math.min(properties?.receiveMaximum ?? inFlightMax, inFlightMax);
    this.#answerMillisecondsMax = settings.answerSecondsMax * 1000;
    this.#over = endOf(client);
    // It is only of interest while something is under way.
    this.#over.catch(() => undefined);
  }

  /** @throws ConnectRefused, or what the socket says */
  static async open(settings: MqttSettings, version: 4 | 5): Promise<FarBroker> {
    const { default: mqtt } = await import("mqtt");
    const { protocol, host, port, path, username, password, ca, clientId } = settings;
    const client = mqtt.connect({
      protocol,
      host,
      port,
      path,
      username,
      password,
      ca,
      ...(clientId === undefined ? {} : { clientId }),
      protocolVersion: version,
      clean: true,
      keepalive: keepAliveSeconds,
      connectTimeout: settings.answerSecondsMax * 1000,
      reconnectPeriod: 0,
      resubscribe: false,
      timerVariant: "native",
    });
    const over = endOf(client);
    const connected = new Promise<IConnackPacket>((resolve) => client.once("connect", resolve));
    try {
      return new FarBroker(client, await Promise.race([connected, over]), settings);
    } catch (error) {
      client.end(true);
      throw error;
    }
  }

  get isOver(): boolean {
    return !this.#client.connected;
  }

  /** The reason code of each, once all are answered. */
  async publish(messages: readonly Outgoing[]): Promise<readonly number[]> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const error = Object.assign(new Error("no answer"), { code: "ETIMEDOUT" });
    const timer = setTimeout(() => reject(error), this.#answerMillisecondsMax);
    try {
      const all = this.#publishAll(messages, () => timer.refresh());
      const codes = await Promise.race([all, this.#over, late]);
      if (messages.some(({ qos }) => qos === 0)) {
        timer.refresh();
        await Promise.race([this.#ping(), this.#over, late]);
      }
      return codes;
    } finally {
      clearTimeout(timer);
    }
  }

  /** With DISCONNECT, or at once where something is wrong. */
  async end(isGraceful: boolean): Promise<void> {
    await this.#client.endAsync(!isGraceful || this.isOver);
  }

  #publishAll(messages: readonly Outgoing[], answered: () => void): Promise<readonly number[]> {
    return new Promise((resolve, reject) => {
      const codes: number[] = [];
      let [next, left] = [0, messages.length];
      const settle = (index: number, error: Error | null | undefined) => {
        const code = codeOf(error);
        // Without a code it is the connection that ended, or a packet that cannot be.
        if (error && code === undefined) return reject(error);
        codes[index] = code ?? 0;
        left -= 1;
        answered();
        fill();
      };
      const fill = () => {
        if (left === 0) resolve(codes);
        while (next < messages.length && next - (messages.length - left) < this.#receiveMaximum) {
          const index = next;
          next += 1;
          const { topic, payload, ...options } = messages[index];
          this.#client.publish(topic, payload, options, (error) => settle(index, error));
        }
      };
      fill();
    });
  }

  /** Who answers PINGREQ has read what was sent before: all that can be known of QoS 0. */
  #ping(): Promise<void> {
    return new Promise((resolve) => {
      const listener = (packet: Packet) => {
        if (packet.cmd !== "pingresp") return;
        this.#client.off("packetreceive", listener);
        resolve();
      };
      this.#client.on("packetreceive", listener);
      this.#client.sendPing();
    });
  }
}

/** Rejects when the connection is over, with the first reason that is known. */
function endOf(client: MqttClient): Promise<never> {
  return new Promise((_, reject) => {
    client.on("error", (error) => {
      const code = codeOf(error);
      reject(code === undefined ? error : new ConnectRefused(code, error.message));
      // Whatever MQTT.js calls an error leaves a connection that is not to be trusted.
      client.stream?.destroy();
    });
    client.on("disconnect", ({ reasonCode }) => {
      reject(new Error(`it ended the connection: ${describeReasonCode(reasonCode ?? 0)}`));
    });
    client.on("close", () => {
      reject(Object.assign(new Error("closed"), { code: "ECONNRESET" }));
    });
  });
}

function codeOf(error: Error | null | undefined): number | undefined {
  const code = error && "code" in error ? error.code : undefined;
  return typeof code === "number" ? code : undefined;
}
