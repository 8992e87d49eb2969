/**
 * One connection's will: when it may be published, when it must have been, when it must not be any more. What a crash
 * may have taken back is told apart from what is safe.
 */
import type { Conversation } from "./conversation.ts";
import type { MessageRecord } from "./message-book.ts";

export class WillModel {
  readonly record: MessageRecord;
  readonly delaySeconds: number;
  readonly #conversation: Conversation;
  /** The storage has it: a crash does not lose it. */
  isStored = false;
  /** In milliseconds: the earliest time at which its connection ended; undefined while it stands. */
  endedFrom: number | undefined;
  /** The client may have taken it back, or come back in time. */
  mayBeCancelled = false;
  /** And the storage knows it. */
  isCancelled = false;
  /** It has shown itself. */
  wasSeen = false;
  /** That it was published is safe. */
  isPublishedForGood = false;
  /** How often it may be published: once, and once more for each crash that took that back. */
  times = 1;

  constructor(record: MessageRecord, delaySeconds: number, conversation: Conversation) {
    this.#conversation = conversation;
    this.record = record;
    this.delaySeconds = delaySeconds;
  }

  /** Its connection is over, or may be. */
  ended(now: number): void {
    this.endedFrom ??= now;
  }

  /** What is wrong with its being published now; undefined when nothing is. */
  seen(now: number): string | undefined {
    if (this.wasSeen) return undefined;
    this.wasSeen = true;
    if (this.isCancelled) return `the will ${this.record.name} was taken back, and comes`;
    if (this.endedFrom === undefined)
      return `the will ${this.record.name} comes while its connection stands`;
    const due = this.endedFrom + this.delaySeconds * 1000;
    if (now >= due || this.#mayHaveEndedSession(now)) return undefined;
    return `the will ${this.record.name} comes ${due - now} ms early`;
  }

  #mayHaveEndedSession(now: number): boolean {
    const epoch = this.#conversation.epoch ?? this.#conversation.candidate;
    return epoch === undefined || epoch.overSince !== undefined || epoch.lifetime.mayBeGone(now);
  }

  /** Its connection ended, the client did not come back in time, and no crash could lose it. */
  get mustHaveCome(): boolean {
    return this.isStored && this.endedFrom !== undefined && !this.mayBeCancelled;
  }

  /** Taken back, and the storage knows it. */
  cancelled(): void {
    if (!this.wasSeen) this.isCancelled = true;
  }

  /** Whether its time has not come, wherever it waits. */
  isEarly(now: number): boolean {
    return this.endedFrom !== undefined && now < this.endedFrom + this.delaySeconds * 1000;
  }

  /** Everything until now is safe. */
  stored(): void {
    if (this.wasSeen) this.isPublishedForGood = true;
  }

  crashed(): void {
    if (this.wasSeen && !this.isPublishedForGood) this.times++;
  }
}
