/**
 * The messages of QoS 1 and 2 that the broker has not acknowledged, in the order they were sent, for
 * MQTT.js to send again. Where the session was resumed, they go again as what they were: DUP is set,
 * and a PUBREL stays a PUBREL. In a new session the broker knows nothing of them and they are new
 * messages, also those whose PUBREL was under way: sooner twice than never.
 */
import { Readable } from "node:stream";
import type { IPublishPacket, IStore, Packet } from "mqtt";

type Done = (error?: Error) => void;
type PacketCallback = (error?: Error, packet?: Packet) => void;

export class UnacknowledgedStore implements IStore {
  readonly #publishes = new Map<number, IPublishPacket>();
  readonly #releases = new Map<number, Packet>();
  /** Told by the connection at each CONNACK, before the store is read. */
  sessionResumed = false;

  get size(): number {
    return this.#publishes.size;
  }

  put(packet: Packet, done: Done): this {
    const messageId = packet.messageId ?? 0;
    if (packet.cmd === "publish") this.#publishes.set(messageId, packet);
    else this.#releases.set(messageId, packet);
    done();
    return this;
  }

  del(packet: Pick<Packet, "messageId">, done: PacketCallback): this {
    const messageId = packet.messageId ?? 0;
    const publish = this.#publishes.get(messageId);
    this.#publishes.delete(messageId);
    this.#releases.delete(messageId);
    done(undefined, publish);
    return this;
  }

  get(packet: Pick<Packet, "messageId">, done: PacketCallback): this {
    const messageId = packet.messageId ?? 0;
    const found = this.#releases.get(messageId) ?? this.#publishes.get(messageId);
    done(found === undefined ? new Error("no such packet") : undefined, found);
    return this;
  }

  createStream(): ReturnType<IStore["createStream"]> {
    if (!this.sessionResumed) this.#releases.clear();
    const packets: Packet[] = [];
    for (const [messageId, publish] of this.#publishes) {
      // [MQTT-3.3.1-1] [MQTT-4.4.0-1]
      packets.push(this.#releases.get(messageId) ?? { ...publish, dup: this.sessionResumed });
    }
    // MQTT.js types the streams of another package, which are made after those of Node.
    return Readable.from(packets) as unknown as ReturnType<IStore["createStream"]>;
  }

  close(done: Done): void {
    done();
  }
}
