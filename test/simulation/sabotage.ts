/**
 * Broken storages, each of which the simulation must find: what a batch loses on its way to the disk, answers that come
 * too early, reads that are not what was written.
 */
import type { StorageChange, StoredDelivery, StoredRow } from "../../src/broker/index.ts";
import type { Batch } from "./disk.ts";

export interface Sabotage {
  /** What reaches the disk of a batch. */
  readonly alter?: (batch: Batch) => Batch;
  /** A batch is answered when it is written, and synced later. */
  readonly answersEarly?: boolean;
  /** The share of syncs that are reported and left for the next time. */
  readonly skippedSyncs?: number;
  /** What is read of a queue. */
  readonly alterWaiting?: (waiting: StoredDelivery[]) => StoredDelivery[];
  /** What is left of a batch that was under way when the power went. */
  readonly tear?: (batch: Batch) => Batch;
}

export const honest: Sabotage = {};

type Kind = StorageChange["kind"];

function without(...kinds: readonly Kind[]): Sabotage {
  return { alter: (batch) => batch.filter(({ kind }) => !kinds.includes(kind)) };
}

function place({ queue, position }: { queue: number; position: number }): string {
  return `${queue}:${position}`;
}

/** Rows that are not kept, and nothing that would name them later. */
function withoutRows(isLost: (row: StoredRow) => boolean): Sabotage {
  const lost = new Set<string>();
  const alter = (batch: Batch): Batch =>
    batch.filter((change) => {
      if (change.kind === "removed") return !lost.has(place(change));
      if (change.kind !== "row") return true;
      const { row } = change;
      if (isLost(row)) lost.add(place(row));
      else lost.delete(place(row)); // a place is free again after a crash
      return !isLost(row);
    });
  return { alter };
}

function swapFirst(waiting: StoredDelivery[]): StoredDelivery[] {
  const [first, second, ...rest] = waiting;
  if (second === undefined) return waiting;
  return [{ ...first, content: second.content }, { ...second, content: first.content }, ...rest];
}

/** The first part of a batch, with as many references as are left. */
function firstHalf(batch: Batch): Batch {
  const half = batch.slice(0, Math.floor(batch.length / 2));
  const references = new Map<number, number>();
  for (const change of half) {
    if (change.kind !== "row") continue;
    references.set(change.row.message, (references.get(change.row.message) ?? 0) + 1);
  }
  return half.flatMap((change): StorageChange[] => {
    if (change.kind !== "message") return [change];
    const left = references.get(change.message) ?? 0;
    return left === 0 ? [] : [{ ...change, references: left }];
  });
}

/** Every second one of a kind. */
function everyOther(kind: Kind): Sabotage {
  let count = 0;
  return { alter: (batch) => batch.filter((change) => change.kind !== kind || count++ % 2 === 0) };
}

/** Made anew for each seed: some remember what they have done. */
export const sabotages: Record<string, () => Sabotage> = {
  "acknowledges before the commit": () => ({ answersEarly: true }),
  "forgets the PUBREL": () => withoutRows((row) => row.message === 0),
  "forgets what came and is not released": () => without("received", "released"),
  "skips a sync": () => ({ skippedSyncs: 0.2 }),
  "swaps two rows of a queue": () => ({ alterWaiting: swapFirst }),
  "writes half a batch": () => ({ tear: firstHalf }),
  "forgets that a message was sent": () => without("sent"),
  "forgets that a session ended": () => ({
    alter: (batch) => batch.filter(({ kind }) => kind !== "sessionEnded"),
  }),
  "does not remove every row": () => everyOther("removed"),
  "keeps the first retained message": () => {
    const topics = new Set<string>();
    return {
      alter: (batch) =>
        batch.filter((change) => {
          if (change.kind === "retainedDeleted") topics.delete(change.topic);
          if (change.kind !== "retained") return true;
          if (topics.has(change.topic)) return false;
          topics.add(change.topic);
          return true;
        }),
    };
  },
  "forgets when a session expires": () => ({
    alter: (batch) =>
      batch.map((change) =>
        change.kind === "session"
          ? { ...change, session: { ...change.session, expiresAt: Number.POSITIVE_INFINITY } }
          : change,
      ),
  }),
  "forgets UNSUBSCRIBE": () => without("unsubscribed"),
  "forgets PUBREL's release": () => without("released"),
  "forgets wills": () => ({
    alter: (batch) =>
      batch.map((change) =>
        change.kind === "session"
          ? { ...change, session: { ...change.session, will: undefined } }
          : change,
      ),
  }),
};
