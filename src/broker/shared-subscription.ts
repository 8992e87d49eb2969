/**
 * A group of sessions that divide the messages of one filter among them (5.0, section 4.8.2). A message goes to the
 * next connected member that has room; when nobody has, it waits here, not with a member, for whoever is first.
 * Once a stored session is a member, all that waits is stored, and what is under way to a member that is not stored.
 */
import { SharedGroup } from "../topics/index.ts";
import { Drops } from "./drops.ts";
import type { Message } from "./message.ts";
import { MessageQueue } from "./message-queue.ts";
import type { PendingRow } from "./pending-row.ts";
import { lowerQos } from "./publish-encoder.ts";
import { QueuedMessage, type WaitingQueue } from "./queued-message.ts";
import type { Session } from "./session.ts";
import type { SessionContext } from "./session-context.ts";
import type { StoredQueueFigures } from "./storage-port.ts";
import { StoredQueue } from "./stored-queue.ts";
import type { Subscription } from "./subscription.ts";

export class SharedSubscription {
  readonly kind = "shared";
  readonly group: string;
  /** Without `$share/group/`. */
  readonly filter: string;
  readonly #context: SessionContext;
  readonly #members = new SharedGroup<Subscription>();
  readonly #drops: Drops;
  #queue: WaitingQueue;

  constructor(group: string, filter: string, context: SessionContext) {
    this.group = group;
    this.filter = filter;
    this.#context = context;
    this.#drops = new Drops(`$share/${group}/${filter}`, context);
    this.#queue = new MessageQueue(context, this.#drops, this);
  }

  /** Its number in the storage; 0 while nobody in it is stored. */
  get stored(): number {
    return this.#queue instanceof StoredQueue ? this.#queue.queue : 0;
  }

  /** From now on it is kept under the number `stored`; what waits already, too. */
  store(stored: number, figures?: StoredQueueFigures): void {
    const refilled = (): void => this.distribute();
    const options = { queue: stored, context: this.#context, drops: this.#drops, refilled };
    const queue = new StoredQueue({ ...options, shared: this }, figures);
    const before = this.#queue;
    this.#queue = queue;
    for (let queued = before.shift(); queued !== undefined; queued = before.shift())
      queue.offer(queued.message, queued);
    queue.open();
  }

  get size(): number {
    return this.#members.size;
  }

  get queuedMessages(): number {
    return this.#queue.length;
  }

  add(member: Subscription): void {
    this.#members.add(member);
    this.#storeFor(member);
    member.session.join(this, member);
  }

  #storeFor({ session }: Subscription): void {
    if (!session.isStored || this.stored > 0 || session.isBeingRestored) return;
    const { group, filter } = this;
    const queue = this.#context.nextQueue();
    this.#context.journal.promise({ kind: "shared", queue, group, filter });
    this.store(queue);
  }

  /** A member has subscribed anew, with other options: it stays, and so does what waits [MQTT-3.8.4-4]. */
  replace(previous: Subscription, member: Subscription): void {
    this.#members.add(member);
    this.#members.remove(previous);
    member.session.join(this, member);
  }

  remove(member: Subscription): void {
    this.#members.remove(member);
    member.session.leave(this);
    if (this.size > 0) return;
    this.#drops.count("sessionEnded", this.#queue.length);
    const { stored } = this;
    if (stored > 0) this.#context.journal.promise({ kind: "sharedEnded", queue: stored });
    this.#queue.clear();
  }

  hasOtherMember(session: Session): boolean {
    for (const member of this.#members.members()) if (member.session !== session) return true;
    return false;
  }

  deliver(message: Message): void {
    const mustWait = this.#queue.length > 0 && message.qos > 0;
    const member = mustWait ? undefined : this.#choose(message);
    if (member === undefined) this.#enqueue(message);
    else member.session.deliverNow(this.#queuedFor(member, message, this.#rowFor(member, message)));
  }

  /** For a message that is sent without having waited: only of a stored member its own row is enough. */
  #rowFor({ qos, session }: Subscription, message: Message): PendingRow | undefined {
    if (session.isStored || lowerQos(message.qos, qos) === 0) return undefined;
    return this.#queue instanceof StoredQueue ? this.#queue.keep(message) : undefined;
  }

  /** A message that a member was sent and will not acknowledge: it is the next that `distribute` sends. */
  takeBack(queued: QueuedMessage): void {
    this.#queue.unshift(queued);
  }

  /** Sends what waits, in order, as far as members have room. */
  distribute(): void {
    for (let queued = this.#queue.shift(); queued !== undefined; queued = this.#queue.shift()) {
      const { message } = queued;
      const hasExpired = message.hasExpired(this.#context.clock.now());
      const member = hasExpired ? undefined : this.#choose(message);
      if (hasExpired) {
        this.#drops.count("expired", 1);
        if (queued.row !== undefined) this.#context.journal.remove(queued.row);
      } else if (member !== undefined)
        member.session.deliverNow(this.#queuedFor(member, message, queued.row));
      else {
        this.#queue.unshift(queued);
        return;
      }
    }
  }

  /** The first message that waits, for a member with room. */
  takeFor(member: Subscription): QueuedMessage | undefined {
    const queued = this.#queue.shift();
    return queued && this.#queuedFor(member, queued.message, queued.row);
  }

  #choose(message: Message): Subscription | undefined {
    return this.#members.next((member) =>
      member.session.canTake(lowerQos(message.qos, member.qos)),
    );
  }

  #queuedFor(member: Subscription, message: Message, row: PendingRow | undefined): QueuedMessage {
    const options = {
      qos: lowerQos(message.qos, member.qos), // [MQTT-4.8.2-3]
      retain: message.retain && member.retainAsPublished,
      identifiers: member.identifier > 0 ? [member.identifier] : [], // [MQTT-3.3.4-5]
    };
    // What is granted with QoS 0 is done with when it is sent.
    if (options.qos === 0 && row !== undefined) this.#context.journal.remove(row);
    const kept = options.qos === 0 ? undefined : row;
    return new QueuedMessage(message.keep(), options, this, kept);
  }

  #enqueue(message: Message): void {
    if (this.size === 0) return; // the last member left during this very delivery
    if (message.qos > 0) {
      const { qos, retain } = message;
      this.#queue.offer(message, { qos, retain, identifiers: [] });
    } else if (this.#hasConnectedMember()) this.#drops.count("slowReader", 1);
  }

  #hasConnectedMember(): boolean {
    for (const { session } of this.#members.members()) if (session.connection) return true;
    return false;
  }
}
