/**
 * What the broker waits for: acknowledgements go out in the order in which the messages came, each once its message is
 * safe. A message that was not acknowledged when the connection ended comes again in the same session: it is known
 * here, is not taken twice, and is acknowledged on the new connection. In doubt a message is taken again, never lost.
 */
import { createHash } from "node:crypto";
import type { ConsumedMessage } from "../../readings/index.ts";
import type { OwedAcknowledgement } from "../client/index.ts";

type Content = Pick<ConsumedMessage, "topic" | "payload">;

/** What tells a message that comes again: these of its PUBLISH. */
export interface ComingMessage extends Content {
  readonly dup: boolean;
}

interface Entry {
  /** Of the pipeline. */
  readonly sequence: number;
  readonly arrivedAt: number;
  /** Only a digest where the message itself is safe: a broker may send much before its PUBREL. */
  readonly content: Content | string;
  readonly owed: OwedAcknowledgement;
}

export class Acknowledgements {
  /** In the order in which they came on this connection; before `#first` they are done. */
  #waiting: Entry[] = [];
  #first = 0;
  #safeUpTo = 0;
  /** Not acknowledged on an earlier connection of this session, by packet identifier: the broker sends them again. */
  #unanswered = new Map<number, Entry>();
  /** QoS 2, PUBREC sent: until PUBREL comes, the identifier is this message's. */
  #unreleased = new Map<number, Entry>();

  /** How many are owed on this connection. */
  get count(): number {
    return this.#waiting.length - this.#first;
  }

  /** When the oldest of them came, in microseconds since 1970. */
  get oldestArrivedAt(): number | undefined {
    return this.#waiting.at(this.#first)?.arrivedAt;
  }

  /** A new network connection. Without its session the broker sends nothing again that these could be. */
  connected(resumed: boolean): void {
    const left = this.#waiting.slice(this.#first);
    this.#waiting = [];
    this.#first = 0;
    if (resumed) {
      for (const entry of left) this.#unanswered.set(entry.owed.packetIdentifier, entry);
    } else {
      this.#unanswered.clear();
      this.#unreleased.clear();
    }
  }

  /** Whether the message has been taken before: what is owed for it now is given when it is safe. */
  knows(coming: ComingMessage, owed: OwedAcknowledgement): boolean {
    if (this.#unanswered.size === 0 && this.#unreleased.size === 0) return false;
    const { packetIdentifier, qos } = owed;
    const entry = this.#unanswered.get(packetIdentifier) ?? this.#unreleased.get(packetIdentifier);
    if (entry === undefined) return false;
    this.#unanswered.delete(packetIdentifier);
    this.#unreleased.delete(packetIdentifier);
    // Of QoS 2 the identifier alone says it, until PUBREL; of QoS 1 the broker may have used it again. [MQTT-4.3.3-10]
    const comesAgain = qos === entry.owed.qos && (coming.dup || qos === 2);
    if (!comesAgain || !isSame(coming, entry.content)) return false;
    this.#waiting.push({ ...entry, owed });
    return true;
  }

  /** The message has been given to the pipeline. */
  taken(sequence: number, message: ConsumedMessage, owed: OwedAcknowledgement): void {
    this.#waiting.push({ sequence, arrivedAt: message.arrivedAt, content: message, owed });
  }

  /** PUBREL. */
  released(packetIdentifier: number): void {
    this.#unreleased.delete(packetIdentifier);
  }

  /** All messages up to this one are safe. */
  safe(sequence: number): void {
    this.#safeUpTo = sequence;
  }

  /** What is to be sent now; only while the connection takes it. [MQTT-4.6.0-2] [MQTT-4.6.0-3] */
  takeReady(): OwedAcknowledgement[] {
    const ready: OwedAcknowledgement[] = [];
    const waiting = this.#waiting;
    let next = this.#first;
    for (; next < waiting.length; next += 1) {
      const entry = waiting[next];
      if (entry.sequence > this.#safeUpTo) break;
      ready.push(entry.owed);
      if (entry.owed.qos === 2) {
        const content = digestOf(entry.content);
        this.#unreleased.set(entry.owed.packetIdentifier, { ...entry, content });
      }
    }
    this.#first = next;
    if (next === waiting.length) {
      this.#waiting = [];
      this.#first = 0;
    } else if (next > waiting.length / 2) {
      this.#waiting = waiting.slice(next);
      this.#first = 0;
    }
    return ready;
  }
}

function isSame(coming: Content, known: Content | string): boolean {
  if (typeof known === "string") return digestOf(coming) === known;
  return coming.topic === known.topic && known.payload.equals(coming.payload);
}

function digestOf(content: Content | string): string {
  if (typeof content === "string") return content;
  const { topic, payload } = content;
  return createHash("sha256").update(`${topic}\0`).update(payload).digest("base64");
}
