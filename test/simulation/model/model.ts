/**
 * The world as it should be: what every session is surely or perhaps subscribed to, what it must get, which values are
 * retained. It knows of the broker only what is said and heard on its connections, and when the power went. What may be
 * either way it leaves open; `hearing.ts`, `saying.ts` and `reckoning.ts` hold the broker to the rest.
 */
import type { Limits } from "../../../src/base/index.ts";
import type { History } from "../history.ts";
import type { StorageLedger } from "../storage-ledger.ts";
import type { Timeline } from "../timeline.ts";
import type { Conversation } from "./conversation.ts";
import { Epoch } from "./epoch.ts";
import { MessageBook, type MessageRecord } from "./message-book.ts";
import { Promises } from "./promises.ts";
import { RetainedModel } from "./retained-model.ts";
import type { WillModel } from "./will-model.ts";

export interface ModelSurroundings {
  readonly timeline: Timeline;
  readonly history: History;
  readonly ledger: StorageLedger;
  readonly limits: Limits;
  /** Queues may lose messages. */
  readonly hasTightQueues: boolean;
  /** The disk may be full, and requests refused for it. */
  readonly mayRefuse: boolean;
  /** By how much the storage may hold up what has not expired when it is sent, in milliseconds. */
  readonly expirySlack: number;
  /** Whether what is synced is looked at, and not only what clients see. */
  readonly peeks: boolean;
}

export interface GroupObligation {
  /** `group/filter`. */
  readonly group: string;
  readonly record: MessageRecord;
  readonly moment: number;
}

export class Model {
  readonly around: ModelSurroundings;
  readonly book = new MessageBook();
  readonly retained = new RetainedModel();
  readonly promises: Promises | undefined;
  /** The session of each client, also one that may be gone. */
  readonly epochs = new Map<string, Epoch>();
  readonly pastEpochs: Epoch[] = [];
  readonly conversations = new Set<Conversation>();
  readonly wills = new Map<string, WillModel>();
  readonly groupObligations: GroupObligation[] = [];
  #crashedLast = Number.NEGATIVE_INFINITY;
  /** What is true once everything until now is safe. */
  #whenStored: (() => void)[] = [];

  constructor(around: ModelSurroundings) {
    this.around = around;
    this.promises = around.peeks ? new Promises(around.ledger) : undefined;
  }

  get now(): number {
    return this.around.timeline.now;
  }

  get moment(): number {
    return this.around.history.moment;
  }

  /** Reports what is wrong, if anything is. */
  check(fault: string | undefined): void {
    if (fault !== undefined) this.around.history.report(fault);
  }

  onceStored(callback: () => void): void {
    this.#whenStored.push(callback);
  }

  /** Nothing is on its way to the disk. */
  stored(): void {
    for (const will of this.wills.values()) {
      if (!will.wasSeen && this.around.ledger.seen.has(will.record.name)) this.sawWill(will);
      will.stored();
    }
    for (const callback of this.#whenStored.splice(0)) callback();
    for (const { lifetime } of this.epochs.values()) lifetime.stored();
    for (const { epoch, will } of this.conversations) {
      if (will !== undefined && epoch?.lifetime.persists === true) will.isStored = true;
    }
  }

  sawWill(will: WillModel): void {
    this.check(will.seen(this.now));
  }

  /** The broker has ended a connection, or was told of its end. */
  over(conversation: Conversation): void {
    if (!this.#close(conversation)) return;
    const { epoch, will, candidate } = conversation;
    if (epoch !== undefined && epoch.conversation === conversation) {
      epoch.lifetime.connectionEnded(this.now);
      epoch.flights.connectionEnded((name) => this.mayComeShared(epoch, name));
      epoch.conversation = undefined;
      if (will !== undefined) this.onceStored(() => (will.isStored = true));
    } else if (epoch === undefined && candidate !== undefined) this.#letGo(conversation, candidate);
  }

  #close(conversation: Conversation): boolean {
    if (conversation.isOver) return false;
    conversation.isOver = true;
    this.conversations.delete(conversation);
    for (const candidate of conversation.retained) this.retained.closed(candidate, this.moment);
    const { will, epoch } = conversation;
    will?.ended(this.now);
    if (will !== undefined && epoch === undefined) will.mayBeCancelled = true;
    return true;
  }

  /** CONNECT was not answered: nobody knows what became of it. */
  #letGo({ mayBeginAnew }: Conversation, candidate: Epoch): void {
    candidate.lifetime.wasMaybeLetGo(this.now);
    if (mayBeginAnew) candidate.becomeUncertain();
  }

  crashed(): void {
    this.#whenStored = [];
    this.#crashedLast = this.moment;
    for (const conversation of [...this.conversations]) {
      this.#close(conversation);
      const { epoch, candidate } = conversation;
      if (epoch === undefined && candidate !== undefined) this.#letGo(conversation, candidate);
    }
    for (const epoch of this.epochs.values()) {
      const { lifetime } = epoch;
      epoch.conversation = undefined;
      epoch.flights.crashed(lifetime.isStored && lifetime.persists);
      lifetime.crashed(this.now);
    }
    for (const will of this.wills.values()) will.crashed();
  }

  restored(): void {
    for (const { lifetime } of this.epochs.values()) lifetime.restored(this.now);
  }

  /** A session surely begins. */
  begin(clientIdentifier: string, expirySeconds: number): Epoch {
    const before = this.epochs.get(clientIdentifier);
    if (before !== undefined) {
      before.overSince = this.moment;
      this.pastEpochs.push(before);
    }
    const epoch = new Epoch(clientIdentifier, expirySeconds);
    this.epochs.set(clientIdentifier, epoch);
    return epoch;
  }

  /** Whether a client may find a session that was begun without its being told. */
  mayBeMistaken(clientIdentifier: string): boolean {
    const lifetime = this.epochs.get(clientIdentifier)?.lifetime;
    if (lifetime === undefined || lifetime.isInDoubt) return true;
    for (const conversation of this.conversations) {
      const isOpen =
        conversation.clientIdentifier === clientIdentifier && conversation.epoch === undefined;
      if (isOpen && lifetime.mayBeGone(this.now + 1000)) return true;
    }
    return false;
  }

  *allEpochs(): Generator<Epoch> {
    yield* this.epochs.values();
    yield* this.pastEpochs;
  }

  /**
   * Whether a group's message was perhaps under way to a member whose session ended: then QoS 2 goes to nobody else. After
   * a crash it is not known of QoS 1 either that it came by the group, and of who has left the group, it is not kept.
   */
  mayBeGoneWithMember(
    members: readonly Epoch[],
    group: string,
    { record, moment }: { record: MessageRecord; moment: number },
  ): boolean {
    if (members.some((member) => !member.lifetime.persists && member.hasLeft(group, moment)))
      return true;
    if (record.qos < 2 && this.#crashedLast < moment) return false;
    return members.some(
      ({ overSince = -1, lifetime }) => overSince >= moment || lifetime.mayBeGone(this.now),
    );
  }

  mayComeShared(epoch: Epoch, name: string): boolean {
    const record = this.book.find(name);
    if (record === undefined) return true;
    for (const subscription of epoch.all()) {
      if (subscription.isShared && subscription.mayBring(record, epoch.clientIdentifier))
        return true;
    }
    return false;
  }
}
