/** Every message that somebody sent, by its name: who, where to, when the broker heard of it, whether it acknowledged it. */
import type { PublishPacket, QoS } from "../../../src/codec/index.ts";
import { nameIn } from "../names.ts";

export interface MessageRecord {
  readonly name: string;
  readonly publisher: string;
  readonly topic: string;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly isWill: boolean;
  /** Its place among all messages of its publisher. */
  readonly number: number;
  /** It may be gone before it arrives. */
  readonly mayExpire: boolean;
  /** Undefined as soon as it came without: MQTT 3 cannot say it when it sends again. */
  expirySeconds: number | undefined;
  /** The moment at which the broker may first have passed it on. */
  readonly heardFirst: number;
  /** How often the broker was given it. */
  heardTimes: number;
  /** In milliseconds. */
  heardLastAt: number;
}

export class MessageBook {
  readonly #records = new Map<string, MessageRecord>();
  #count = 0;

  find(name: string): MessageRecord | undefined {
    return this.#records.get(name);
  }

  all(): IterableIterator<MessageRecord> {
    return this.#records.values();
  }

  heard(
    packet: Pick<PublishPacket, "topic" | "payload" | "qos" | "retain" | "properties">,
    {
      publisher,
      moment,
      now,
      isWill,
    }: { publisher: string; moment: number; now: number; isWill: boolean },
  ): MessageRecord {
    const name = nameIn(packet.payload);
    const known = name === "" ? undefined : this.#records.get(name);
    if (known !== undefined) {
      known.heardTimes++;
      known.heardLastAt = now;
      known.expirySeconds &&= packet.properties.messageExpiryInterval;
      return known;
    }
    const { topic, qos, retain, properties } = packet;
    const record: MessageRecord = {
      name,
      publisher,
      topic,
      qos,
      retain,
      isWill,
      number: this.#count++,
      mayExpire: properties.messageExpiryInterval !== undefined,
      expirySeconds: properties.messageExpiryInterval,
      heardFirst: moment,
      heardTimes: 1,
      heardLastAt: now,
    };
    if (name !== "") this.#records.set(name, record);
    return record;
  }
}
