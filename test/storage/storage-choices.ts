/**
 * Random changes that a broker could ask for. A choice is made of numbers that mean something only against what is there
 * at that moment: which session, which row. A choice that finds nothing to change changes nothing.
 */
import fc from "fast-check";
import type {
  StorageChange,
  StoredMessage,
  StoredRow,
  StoredSession,
} from "../../src/broker/ports.ts";
import type { PlainStorage } from "./plain-storage.ts";

export interface Choice {
  readonly action: keyof typeof actions;
  readonly which: number;
  readonly other: number;
  readonly amount: number;
  readonly flag: boolean;
}

/** What choices are turned into changes against. */
export interface World {
  readonly plain: PlainStorage;
  queueLast: number;
  messageLast: number;
}

type Action = (world: World, choice: Choice) => readonly StorageChange[];

const never = Number.POSITIVE_INFINITY;
const names = ["a", "A", "a/b", "b", "$share/g/a", "\u00e9", "e\u0301", "\u{1f980}", "#", "+/+"];

function pick<Item>(items: readonly Item[], which: number): Item | undefined {
  return items[which % items.length];
}

function nameOf(which: number): string {
  return names[which % names.length];
}

function qosOf(which: number): 0 | 1 | 2 {
  return ([0, 1, 2] as const)[which % 3];
}

/** One in two expires, some soon. */
function expiryOf(amount: number): number {
  return amount % 2 === 0 ? never : 1000 + amount;
}

function contentOf({ which, other, amount, flag }: Choice, payloadBytes: number): StoredMessage {
  const name = Buffer.from(nameOf(which));
  const properties = Buffer.alloc(amount % 5, other);
  return {
    bytes: Buffer.concat([name, properties, Buffer.alloc(payloadBytes, amount)]),
    topicEnd: name.length,
    propertiesEnd: name.length + properties.length,
    expiryOffset: flag ? name.length : -1,
    qos: qosOf(other),
    retain: flag,
    publisher: nameOf(other),
    expiresAt: expiryOf(amount),
  };
}

function sessionOf(queue: number, choice: Choice): StoredSession {
  const { which, other, amount, flag } = choice;
  const will = {
    message: contentOf(choice, amount % 7),
    delaySeconds: other,
    publishAt: expiryOf(other),
  };
  return {
    queue,
    clientIdentifier: `${nameOf(which)} ${queue}`,
    userName: other % 3 === 0 ? undefined : nameOf(other),
    isV5: flag,
    expirySeconds: amount,
    expiresAt: expiryOf(amount),
    isConnected: other % 2 === 0,
    will: amount % 3 === 0 ? will : undefined,
  };
}

/** A free place: behind all others, below all others, or the first one free from somewhere between. */
function findPlace({ plain }: World, queue: number, { other, flag }: Choice): number {
  const positions = plain.rows.filter((row) => row.queue === queue).map((row) => row.position);
  if (positions.length === 0 || flag) return Math.max(0, ...positions) + 1 + (other % 3);
  const first = Math.min(...positions);
  if (other % 2 === 0) return first - 1 - (other % 4);
  return firstFree(positions, first + other);
}

function firstFree(positions: readonly number[], from: number): number {
  let place = from;
  while (positions.includes(place)) place++;
  return place;
}

/** Another free place of the same queue, above the one that a new row takes. */
function placeBeside({ plain }: World, { queue, position }: StoredRow): number {
  const positions = plain.rows.filter((row) => row.queue === queue).map((row) => row.position);
  return firstFree(positions, position + 1);
}

function rowOf(world: World, queue: number, choice: Choice): Omit<StoredRow, "message"> {
  const { which, other, amount, flag } = choice;
  return {
    queue,
    position: findPlace(world, queue, choice),
    qos: qosOf(which),
    retain: flag,
    subscriptionIdentifiers: Array.from({ length: amount % 4 }, (_, index) => 1 + index * other),
    packetIdentifier: amount % 4 === 0 ? 1 + other : 0,
    bytes: amount,
    expiresAt: expiryOf(amount),
  };
}

function removed({ queue, position, message }: StoredRow): StorageChange {
  return { kind: "removed", queue, position, message };
}

function sessionQueue({ plain }: World, which: number): number | undefined {
  return pick([...plain.sessions.keys()], which);
}

/** Each of some queues gets the row, one of them perhaps twice. */
function enqueue(world: World, choice: Choice): readonly StorageChange[] {
  const { queues } = world.plain;
  const { which, amount } = choice;
  const targets = queues.filter((_, index) => (which + index) % 3 === 0 || amount % 7 === 0);
  if (targets.length === 0) return [];
  const message = ++world.messageLast;
  const rows = targets.map((queue) => ({ ...rowOf(world, queue, choice), message }));
  if (amount % 5 === 0) rows.push({ ...rows[0], position: placeBeside(world, rows[0]) });
  const content = contentOf(choice, amount);
  return [
    { kind: "message", message, references: rows.length, content },
    ...rows.map((row): StorageChange => ({ kind: "row", row })),
  ];
}

const actions = {
  enqueue,
  session: (world, choice) => {
    const there = choice.flag ? sessionQueue(world, choice.which) : undefined;
    const queue = there ?? ++world.queueLast;
    return [{ kind: "session", session: sessionOf(queue, choice) }];
  },
  sessionEnded: (world, { which, amount }) => {
    const queue = amount % 2 === 0 ? sessionQueue(world, which) : undefined;
    return queue === undefined ? [] : [{ kind: "sessionEnded", queue }];
  },
  shared: (world, { which, other, flag }) => {
    const there = flag ? pick([...world.plain.shared.keys()], which) : undefined;
    const queue = there ?? ++world.queueLast;
    return [{ kind: "shared", queue, group: nameOf(which), filter: nameOf(other) }];
  },
  sharedEnded: ({ plain }, { which, amount }) => {
    const queue = amount % 2 === 0 ? pick([...plain.shared.keys()], which) : undefined;
    return queue === undefined ? [] : [{ kind: "sharedEnded", queue }];
  },
  subscribed: (world, { which, other, amount, flag }) => {
    const queue = sessionQueue(world, which);
    if (queue === undefined) return [];
    const subscription = {
      filter: nameOf(other),
      qos: qosOf(amount),
      noLocal: flag,
      retainAsPublished: amount % 2 === 0,
      retainHandling: qosOf(other),
      identifier: amount,
    };
    return [{ kind: "subscribed", queue, subscription }];
  },
  unsubscribed: (world, { which, other }) => {
    const { session, subscriptions = [] } = pick([...world.plain.sessions.values()], which) ?? {};
    const filter = pick(subscriptions, other)?.filter;
    if (session === undefined || filter === undefined) return [];
    return [{ kind: "unsubscribed", queue: session.queue, filter }];
  },
  received: (world, { which, other }) => {
    const entry = pick([...world.plain.sessions.values()], which);
    if (entry === undefined || entry.received.has(other)) return [];
    return [{ kind: "received", queue: entry.session.queue, packetIdentifier: other }];
  },
  released: (world, { which, other }) => {
    const { session, received = [] } = pick([...world.plain.sessions.values()], which) ?? {};
    const packetIdentifier = pick([...received], other);
    if (session === undefined || packetIdentifier === undefined) return [];
    return [{ kind: "released", queue: session.queue, packetIdentifier }];
  },
  retained: (_, choice) => {
    const content = contentOf(choice, choice.amount);
    return [{ kind: "retained", topic: nameOf(choice.which), content }];
  },
  retainedDeleted: ({ plain }, { which }) => {
    const topic = pick([...plain.retained.keys()], which);
    return topic === undefined ? [] : [{ kind: "retainedDeleted", topic }];
  },
  sent: ({ plain }, { which, other, flag }) => {
    const waiting = plain.queues.flatMap((queue) =>
      flag ? plain.waiting(queue).slice(0, 1) : plain.waiting(queue),
    );
    const row = pick(waiting, which);
    if (row === undefined) return [];
    const { queue, position } = row;
    return [{ kind: "sent", queue, position, packetIdentifier: 1 + other }];
  },
  removed: ({ plain }, { which }) => {
    const row = pick(plain.rows, which);
    return row === undefined ? [] : [removed(row)];
  },
  /** PUBREC has come: the message goes, a PUBREL stands for it, in its place or in another. */
  pubrel: (world, choice) => {
    const row = pick(
      world.plain.rows.filter(({ message, packetIdentifier }) => message * packetIdentifier > 0),
      choice.which,
    );
    if (row === undefined) return [];
    const position = choice.flag ? row.position : findPlace(world, row.queue, choice);
    const pubrel = { ...row, position, message: 0, bytes: 0 };
    return [removed(row), { kind: "row", row: pubrel }];
  },
  moved: (world, choice) => {
    const row = pick(
      world.plain.rows.filter(({ message }) => message !== 0),
      choice.which,
    );
    const to = pick(world.plain.queues, choice.other);
    if (row === undefined || to === undefined) return [];
    const { queue, position, message } = row;
    const stays = to === queue && choice.amount % 2 === 0;
    const place = stays ? { position } : undefined;
    const moved = { ...rowOf(world, to, choice), ...place, message };
    return [{ kind: "moved", queue, position, row: moved }];
  },
  trimmed: ({ plain }, { which, other, amount, flag }) => {
    const queue = pick(plain.queues, which);
    if (queue === undefined) return [];
    const limits = { messagesMax: other % 8, bytesMax: amount * 3 };
    const now = flag ? 1000 + amount : 0;
    return [
      { kind: "trimmed", queue, now, ...limits, drop: amount % 2 === 0 ? "oldest" : "newest" },
    ];
  },
} as const satisfies Record<string, Action>;

/** What makes rows comes more often: there must be something to lose. */
const weights: Partial<Record<keyof typeof actions, number>> = {
  enqueue: 12,
  sent: 6,
  moved: 5,
  removed: 4,
  session: 3,
};

const anyAction = fc.oneof(
  ...(Object.keys(actions) as (keyof typeof actions)[]).map((action) => ({
    arbitrary: fc.constant(action),
    weight: weights[action] ?? 1,
  })),
);

export const anyChoice: fc.Arbitrary<Choice> = fc.record({
  action: anyAction,
  which: fc.nat(100),
  other: fc.nat(100),
  amount: fc.nat(200),
  flag: fc.boolean(),
});

/** The changes of a choice, against what is there now. */
export function toChanges(world: World, choice: Choice): readonly StorageChange[] {
  const action: Action = actions[choice.action];
  return action(world, choice);
}
