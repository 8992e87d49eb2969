/** A shared subscription with members that have room or not on command: order, turns, limits and nothing lost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Clock, defaultLimits, silentLog, systemClock } from "../base/index.ts";
import type { QoS } from "../codec/index.ts";
import { Counters } from "./counters.ts";
import { Message } from "./message.ts";
import type { QueueAccount } from "./queue-limits.ts";
import type { QueuedMessage } from "./queued-message.ts";
import type { Session } from "./session.ts";
import type { SessionContext } from "./session-context.ts";
import { SharedSubscription } from "./shared-subscription.ts";
import type { Subscription } from "./subscription.ts";

/** As much of a session as a group sees of it. */
class Member {
  room: number;
  readonly got: QueuedMessage[] = [];

  constructor(room: number) {
    this.room = room;
  }

  /** It has one; whether there is room is another matter. */
  readonly connection = {};

  canTake(): boolean {
    return this.room > 0;
  }

  deliverNow(queued: QueuedMessage): void {
    assert.ok(this.room > 0, "a member without room got a message");
    this.room--;
    this.got.push(queued);
  }

  join(): void {}
  leave(): void {}

  get topics(): string[] {
    return this.got.map(({ message }) => message.topic);
  }
}

interface World {
  readonly account: QueueAccount;
  readonly group: SharedSubscription;
  readonly counters: Counters;
}

function newGroup(
  limits: Partial<typeof defaultLimits> = {},
  queueDrop: "newest" | "oldest" = "newest",
): World {
  const counters = new Counters();
  const account = { messages: 0, bytes: 0 };
  const clock: Clock = { ...systemClock, now: () => 1000 };
  const context = {
    limits: { ...defaultLimits, ...limits },
    clock,
    log: silentLog,
    counters,
    queueDrop,
    sharedQueues: account,
  };
  return { account, counters, group: new SharedSubscription("g", "#", context as SessionContext) };
}

function join(group: SharedSubscription, member: Member, qos: QoS = 2): Subscription {
  const subscription: Subscription = {
    kind: "session",
    session: member as unknown as Session,
    filter: "$share/g/#",
    qos,
    noLocal: false,
    retainAsPublished: false,
    identifier: 0,
    shared: group,
  };
  group.add(subscription);
  return subscription;
}

/** Named by its topic. */
function message(name: string, qos: QoS = 1, payloadBytes = 0, expiresAt = Infinity): Message {
  return Message.create(
    { topic: name, qos, retain: true, publisher: "", expiresAt },
    { properties: new Uint8Array(), expiryOffset: -1, payload: new Uint8Array(payloadBytes) },
  );
}

test("every message goes to one member with room, in order, and waits while there is none", () => {
  const step = fc.tuple(fc.constantFrom("publish", "publish", "room", "take back"), fc.nat(2));
  const property = fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
    const { group } = newGroup();
    const members = [new Member(1), new Member(2), new Member(0)];
    const memberships = members.map((member) => join(group, member));
    const order: number[] = [];
    for (const member of members) {
      const push = member.got.push.bind(member.got);
      member.got.push = (...items) => {
        order.push(...items.map(({ message: { topic } }) => Number(topic)));
        return push(...items);
      };
    }
    let published = 0;
    for (const [what, number] of steps) {
      const member = members[number];
      if (what === "publish") group.deliver(message(`${published++}`));
      else if (what === "room") {
        member.room++;
        const queued = group.takeFor(memberships[number]);
        if (queued !== undefined) member.deliverNow(queued);
      } else {
        // As when the member's connection ends: the newest is given back first.
        const back = member.got.splice(0).reverse();
        for (const queued of back) {
          group.takeBack(queued);
          order.splice(order.indexOf(Number(queued.message.topic)), 1);
        }
        member.room = 0;
        group.distribute();
      }
      const waiting = published - order.length;
      assert.equal(group.queuedMessages, waiting);
      assert.ok(waiting === 0 || members.every(({ room }) => room === 0), "waits beside room");
    }
    const got = members.flatMap(({ topics }) => topics).map(Number);
    assert.equal(new Set(got).size, got.length, "one message went to two members");
    const last = new Member(1000);
    join(group, last);
    group.distribute();
    const rest = last.topics.map(Number);
    assert.deepEqual(
      [...got, ...rest].sort((a, b) => a - b),
      [...Array(published).keys()],
    );
  });
  fc.assert(property, { numRuns: 500 });
});

test("messages that come back keep their order, before those that wait", () => {
  const { group } = newGroup();
  const [leaving, other] = [new Member(3), new Member(0)];
  join(group, leaving);
  join(group, other);
  for (const name of ["1", "2", "3", "4"]) group.deliver(message(name));
  for (const queued of [...leaving.got].reverse()) group.takeBack(queued);
  other.room = 10;
  group.distribute();
  assert.deepEqual(other.topics, ["1", "2", "3", "4"]);
});

test("QoS 0 waits for nobody, and overtakes what waits", () => {
  const { group, counters } = newGroup();
  const full = new Member(0);
  join(group, full);
  group.deliver(message("lost", 0));
  assert.equal(counters.dropped.slowReader, 1);
  group.deliver(message("waits", 1));
  full.room = 1;
  group.deliver(message("passes", 0));
  assert.deepEqual(full.topics, ["passes"]);
  full.room = 1;
  group.deliver(message("waits too", 1));
  assert.deepEqual(full.topics, ["passes"]);
  assert.equal(group.queuedMessages, 2);
});

test("5.0 [MQTT-4.8.2-3] a member gets the QoS it was granted, and RETAIN only where it asked for it", () => {
  const { group } = newGroup();
  const member = new Member(2);
  join(group, member, 0);
  group.deliver(message("t", 2));
  const [{ qos, retain, shared }] = member.got;
  assert.deepEqual({ qos, retain, shared }, { qos: 0, retain: false, shared: group });
});

test("5.0 [MQTT-3.8.4-4] a member that subscribes anew keeps what waits and its place", () => {
  const { group, counters } = newGroup();
  const member = new Member(0);
  const before = join(group, member, 1);
  group.deliver(message("1"));
  const after: Subscription = { ...before, qos: 2, identifier: 7 };
  group.replace(before, after);
  assert.equal(group.size, 1);
  assert.equal(counters.droppedTotal, 0);
  member.room = 5;
  group.distribute();
  assert.deepEqual(member.got[0].identifiers, [7]);
});

test("what waits for a group without members is dropped and counted", () => {
  const { group, counters } = newGroup();
  const subscription = join(group, new Member(0));
  group.deliver(message("1"));
  group.deliver(message("2"));
  group.remove(subscription);
  assert.equal(counters.dropped.sessionEnded, 2);
  assert.equal(group.queuedMessages, 0);
});

test("what has expired while it waited goes to nobody", () => {
  const { group, counters } = newGroup();
  const member = new Member(0);
  join(group, member);
  group.deliver(message("late", 1, 0, 1000));
  group.deliver(message("fresh", 1, 0, 1001));
  member.room = 5;
  group.distribute();
  assert.deepEqual(member.topics, ["fresh"]);
  assert.equal(counters.dropped.expired, 1);
});

for (const queueDrop of ["newest", "oldest"] as const) {
  test(`the group's queue keeps to its number and its bytes; the ${queueDrop} go, counted`, () => {
    const limits = { queueMessagesMax: 3, queueBytesMax: 100 };
    const { group, counters } = newGroup(limits, queueDrop);
    const member = new Member(0);
    join(group, member);
    for (const name of ["1", "2", "3", "4"]) group.deliver(message(name));
    assert.equal(group.queuedMessages, 3);
    assert.equal(counters.dropped.queueFull, 1);
    // Each takes more than all that wait have left: with `oldest` all of them go for it.
    group.deliver(message("5", 1, 99));
    const isNewest = queueDrop === "newest";
    assert.equal(group.queuedMessages, isNewest ? 3 : 1);
    assert.equal(counters.dropped.queueFull, isNewest ? 2 : 4);
    member.room = 10;
    group.distribute();
    assert.deepEqual(member.topics, isNewest ? ["1", "2", "3"] : ["5"]);
  });
}

test("what comes when the last member has gone takes no room from other groups", () => {
  const { group, account } = newGroup();
  const membership = join(group, new Member(0));
  group.deliver(message("waits"));
  assert.equal(account.messages, 1);
  group.remove(membership);
  group.deliver(message("too late"));
  assert.deepEqual(account, { messages: 0, bytes: 0 });
});
