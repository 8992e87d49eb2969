/**
 * One application message: its parts as offsets into bytes, and what the broker must know of it.
 * A message on its way through borrows the bytes it came in; `keep()` makes the copy that may be stored, once,
 * and all sessions that queue it share that copy. A kept message never changes once it is published.
 */
import { assert } from "../base/index.ts";
import { type MessageParts, type QoS, topicAliasPropertyBytes } from "../codec/index.ts";
import type { StoredMessage } from "./storage-port.ts";

const noBytes = Buffer.alloc(0);

/** A message as one epoch stores it: one that is kept for long, like a retained one, may be stored again in a later. */
export interface StoredCopy {
  readonly epoch: number;
  readonly number: number;
  /** Rows of that epoch that want it, as long as they are not written. */
  references: number;
}

export class Message implements MessageParts {
  bytes: Buffer = noBytes;
  topicStart = 0;
  topicEnd = 0;
  propertiesStart = 0;
  propertiesEnd = 0;
  expiryOffset = -1;
  payloadStart = 0;
  payloadEnd = 0;

  topic = "";
  qos: QoS = 0;
  retain = false;
  /** Milliseconds since 1970; Infinity when the message does not expire. */
  expiresAt = Number.POSITIVE_INFINITY;
  /** The client identifier of who sent it: no local asks for it. Empty for the broker itself. */
  publisher = "";

  /** The frame it came in, as long as it can be forwarded as it stands: see `Delivery`. */
  frameStart = -1;
  frameEnd = -1;
  frameIsV5 = false;

  /** As it was stored last: the journal's. */
  stored: StoredCopy | undefined;

  #isKept = false;
  /** Whether its bytes are a part of what the storage has read at once. */
  #isOfPage = false;
  #copy: Message | undefined;

  /** A message made from parts that nobody else will change, in memory of its own: it may stay for long. */
  static create(
    fields: Pick<Message, "topic" | "qos" | "retain" | "publisher" | "expiresAt">,
    parts: { properties: Uint8Array; expiryOffset: number; payload: Uint8Array },
  ): Message {
    const message = new Message();
    const topicBytes = Buffer.byteLength(fields.topic);
    const propertiesEnd = topicBytes + parts.properties.length;
    const bytes = Buffer.allocUnsafeSlow(propertiesEnd + parts.payload.length);
    bytes.write(fields.topic, 0);
    bytes.set(parts.properties, topicBytes);
    bytes.set(parts.payload, propertiesEnd);
    message.bytes = bytes;
    message.topicEnd = topicBytes;
    message.propertiesStart = topicBytes;
    message.propertiesEnd = propertiesEnd;
    message.expiryOffset = parts.expiryOffset < 0 ? -1 : topicBytes + parts.expiryOffset;
    message.payloadStart = propertiesEnd;
    message.payloadEnd = bytes.length;
    message.topic = fields.topic;
    message.qos = fields.qos;
    message.retain = fields.retain;
    message.publisher = fields.publisher;
    message.expiresAt = fields.expiresAt;
    message.#isKept = true;
    return message;
  }

  /** A message as the storage gives it back. */
  static restore(stored: StoredMessage): Message {
    const message = new Message();
    const { bytes, topicEnd, propertiesEnd } = stored;
    message.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    message.topicEnd = message.propertiesStart = topicEnd;
    message.propertiesEnd = message.payloadStart = propertiesEnd;
    message.payloadEnd = bytes.length;
    message.expiryOffset = stored.expiryOffset;
    message.topic = message.bytes.toString("utf8", 0, topicEnd);
    message.qos = stored.qos;
    message.retain = stored.retain;
    message.publisher = stored.publisher;
    message.expiresAt = stored.expiresAt;
    message.#isKept = message.#isOfPage = true;
    return message;
  }

  /** Bytes of topic, properties and payload: what the limits count. */
  get size(): number {
    return (
      this.topicEnd -
      this.topicStart +
      this.propertiesEnd -
      this.propertiesStart +
      this.payloadEnd -
      this.payloadStart
    );
  }

  /** Makes this object carry another message: the hot path uses one object for all of them. */
  reset(topic: string, publisher: string): void {
    this.topic = topic;
    this.publisher = publisher;
    this.expiresAt = Number.POSITIVE_INFINITY;
    this.frameStart = -1;
    this.#copy = undefined;
  }

  /** Carries nothing, until it is filled again. */
  letGo(): void {
    this.bytes = noBytes;
    this.topicStart = this.topicEnd = 0;
    this.propertiesStart = this.propertiesEnd = 0;
    this.payloadStart = this.payloadEnd = 0;
    this.reset("", "");
  }

  /**
   * Puts `topic` in the place of a topic alias, whose property begins at `aliasOffset` of `bytes`: an alias is good
   * for one connection only.
   */
  replaceAlias(topic: Uint8Array, aliasOffset: number): void {
    const { bytes } = this;
    const before = bytes.subarray(this.propertiesStart, aliasOffset);
    const after = bytes.subarray(aliasOffset + topicAliasPropertyBytes, this.propertiesEnd);
    const payload = bytes.subarray(this.payloadStart, this.payloadEnd);
    const expiryAt = this.expiryOffset - this.propertiesStart;
    const moved = this.expiryOffset > aliasOffset ? topicAliasPropertyBytes : 0;
    this.bytes = Buffer.concat([topic, before, after, payload]);
    this.topicStart = 0;
    this.topicEnd = topic.length;
    this.propertiesStart = topic.length;
    this.propertiesEnd = topic.length + before.length + after.length;
    if (this.expiryOffset >= 0) this.expiryOffset = this.propertiesStart + expiryAt - moved;
    this.payloadStart = this.propertiesEnd;
    this.payloadEnd = this.bytes.length;
  }

  /** The same message with bytes of its own, out of a pool: for one that waits or is under way, and goes soon. */
  keep(): Message {
    if (this.#isKept) return this;
    this.#copy ??= this.#copyInto(Buffer.allocUnsafe(this.size));
    return this.#copy;
  }

  /** The same in memory of its own: it holds no more of the pool than it is. */
  keepForLong(): Message {
    if (this.#isKept && this.bytes.length * 2 > this.bytes.buffer.byteLength) return this;
    return this.#copyInto(Buffer.allocUnsafeSlow(this.size));
  }

  /** For one that was read and stays: it came in a page with others, all of which it would keep in memory. */
  leavePage(): void {
    if (!this.#isOfPage) return;
    this.#isOfPage = false;
    this.bytes = Buffer.from(this.bytes);
  }

  /** Topic, properties and payload one behind the other, as the storage wants them. */
  #copyInto(bytes: Buffer): Message {
    const copy = new Message();
    const source = this.bytes;
    let end = source.copy(bytes, 0, this.topicStart, this.topicEnd);
    copy.topicEnd = copy.propertiesStart = end;
    if (this.propertiesEnd > this.propertiesStart)
      end += source.copy(bytes, end, this.propertiesStart, this.propertiesEnd);
    copy.propertiesEnd = copy.payloadStart = end;
    copy.payloadEnd = end + source.copy(bytes, end, this.payloadStart, this.payloadEnd);
    const expiryAt = this.expiryOffset - this.propertiesStart + copy.propertiesStart;
    copy.expiryOffset = this.expiryOffset < 0 ? -1 : expiryAt;
    copy.bytes = bytes;
    copy.topic = this.topic;
    copy.qos = this.qos;
    copy.retain = this.retain;
    copy.publisher = this.publisher;
    copy.expiresAt = this.expiresAt;
    copy.#isKept = true;
    return copy;
  }

  /** Its Message Expiry Interval, if it has one, counts from `now`. */
  startExpiry(now: number): void {
    if (this.expiryOffset < 0) return;
    this.expiresAt = now + this.bytes.readUInt32BE(this.expiryOffset) * 1000;
  }

  /** Puts what is left of its interval into its bytes: before it is published, when it had to wait for that. */
  countDown(now: number): void {
    assert(this.#isKept, "only a message with bytes of its own is changed");
    if (this.expiryOffset >= 0) this.bytes.writeUInt32BE(this.secondsLeft(now), this.expiryOffset);
  }

  /** Whole seconds until it expires, rounded up; -1 when it does not. */
  secondsLeft(now: number): number {
    if (this.expiresAt === Number.POSITIVE_INFINITY) return -1;
    return Math.max(0, Math.ceil((this.expiresAt - now) / 1000));
  }

  hasExpired(now: number): boolean {
    return this.expiresAt <= now;
  }
}
