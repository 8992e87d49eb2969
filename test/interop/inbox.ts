/** What one MQTT.js client got, in order, and bounded waits for more of it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { IPublishPacket, MqttClient } from "mqtt";

export interface Received {
  readonly topic: string;
  readonly payload: Buffer;
  readonly packet: IPublishPacket;
}

const waitMilliseconds = 25_000;

export class Inbox {
  readonly messages: Received[] = [];

  constructor(client: MqttClient) {
    client.on("message", (topic, payload, packet) => {
      this.messages.push({ topic, payload, packet });
    });
  }

  get texts(): string[] {
    return this.messages.map(({ payload }) => payload.toString());
  }

  /** Waits until at least `count` messages came, and answers all that did. */
  async waitFor(count: number): Promise<readonly Received[]> {
    await waitUntil(
      () => this.messages.length >= count,
      () => `${count} messages, not ${this.messages.length}`,
    );
    return this.messages;
  }

  /** Waits for the message `text`, and takes out everything up to it. */
  async takeUntil(text: string): Promise<readonly Received[]> {
    const find = (): number =>
      this.messages.findIndex(({ payload }) => payload.toString() === text);
    await waitUntil(
      () => find() >= 0,
      () => `"${text}" after ${this.messages.length} messages`,
    );
    return this.messages.splice(0, find() + 1);
  }
}

/** Asks again and again, for a bounded time. */
export async function waitUntil(
  isSo: () => boolean,
  describe: () => string,
  milliseconds = waitMilliseconds,
): Promise<void> {
  const until = performance.now() + milliseconds;
  while (!isSo()) {
    if (performance.now() > until) throw new Error(`waited in vain for ${describe()}`);
    await sleep(5);
  }
}

export function countTo(count: number, prefix = ""): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
}
