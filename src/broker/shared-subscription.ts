/**
 * A group of sessions that divide the messages of one filter among them (5.0, section 4.8.2). A message goes to the
 * next connected member that has room; when nobody has, it waits here, not with a member, for whoever is first.
 */
import { SharedGroup } from "../topics/index.ts";
import { Drops } from "./drops.ts";
import type { Message } from "./message.ts";
import { MessageQueue } from "./message-queue.ts";
import { lowerQos } from "./publish-encoder.ts";
import type { QueuedMessage } from "./queued-message.ts";
import type { Session } from "./session.ts";
import type { SessionContext } from "./session-context.ts";
import type { Subscription } from "./subscription.ts";

export class SharedSubscription {
  readonly kind = "shared";
  readonly group: string;
  /** Without `$share/group/`. */
  readonly filter: string;
  readonly #context: SessionContext;
  readonly #members = new SharedGroup<Subscription>();
  readonly #drops: Drops;
  readonly #queue: MessageQueue;

  constructor(group: string, filter: string, context: SessionContext) {
    this.group = group;
    this.filter = filter;
    this.#context = context;
    this.#drops = new Drops(`$share/${group}/${filter}`, context);
    this.#queue = new MessageQueue(context, this.#drops, context.sharedQueues);
  }

  get size(): number {
    return this.#members.size;
  }

  get queuedMessages(): number {
    return this.#queue.length;
  }

  add(member: Subscription): void {
    this.#members.add(member);
    member.session.join(this, member);
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
    this.#queue.clear();
  }

  hasOtherMember(session: Session): boolean {
    for (const member of this.#members.members()) if (member.session !== session) return true;
    return false;
  }

  deliver(message: Message): void {
    const mustWait = this.#queue.length > 0 && message.qos > 0;
    const member = mustWait ? undefined : this.#choose(message);
    if (member !== undefined) member.session.deliverNow(this.#queuedFor(member, message));
    else this.#enqueue(message);
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
      if (hasExpired) this.#drops.count("expired", 1);
      else if (member !== undefined) member.session.deliverNow(this.#queuedFor(member, message));
      else {
        this.#queue.unshift(queued);
        return;
      }
    }
  }

  /** The first message that waits, for a member with room. */
  takeFor(member: Subscription): QueuedMessage | undefined {
    const queued = this.#queue.shift();
    return queued && this.#queuedFor(member, queued.message);
  }

  #choose(message: Message): Subscription | undefined {
    return this.#members.next((member) =>
      member.session.canTake(lowerQos(message.qos, member.qos)),
    );
  }

  #queuedFor(member: Subscription, message: Message): QueuedMessage {
    return {
      message: message.keep(),
      qos: lowerQos(message.qos, member.qos), // [MQTT-4.8.2-3]
      retain: message.retain && member.retainAsPublished,
      identifiers: member.identifier > 0 ? [member.identifier] : [], // [MQTT-3.3.4-5]
      shared: this,
    };
  }

  #enqueue(message: Message): void {
    if (this.size === 0) return; // the last member left during this very delivery
    if (message.qos > 0) {
      this.#queue.offer(message, (kept) => {
        const { qos, retain } = kept;
        return { message: kept, qos, retain, identifiers: [], shared: this };
      });
    } else if (this.#hasConnectedMember()) this.#drops.count("slowReader", 1);
  }

  #hasConnectedMember(): boolean {
    for (const { session } of this.#members.members()) if (session.connection) return true;
    return false;
  }
}
