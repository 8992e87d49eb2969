/** What the storage holds becomes the broker's state again: sessions, subscriptions, groups, retained messages, wills. */
import { parseTopicFilter } from "../topics/index.ts";
import type { Journal } from "./journal.ts";
import { Message } from "./message.ts";
import type { RetainedMessages } from "./retained-messages.ts";
import type { Session } from "./session.ts";
import type { Sessions } from "./sessions.ts";
import type { RestoredSession, RestoredShared, RestoredState } from "./storage-port.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** What is filled; nobody is connected yet. */
interface RestoredParts {
  readonly sessions: Sessions;
  readonly subscriptions: Subscriptions;
  readonly retained: RetainedMessages;
  readonly journal: Journal;
}

export function restoreState(state: RestoredState, parts: RestoredParts): void {
  for (const restored of state.sessions) restoreSession(restored, parts);
  const sharedSubscriptions = [...state.shared];
  for (const stored of state.retained) parts.retained.restore(Message.restore(stored));
  // They ask for what waits for them at once, and the storage may be asked when its state has been walked through.
  for (const shared of sharedSubscriptions) restoreShared(shared, parts);
}

function restoreSession(
  restored: RestoredSession,
  { sessions, subscriptions }: RestoredParts,
): void {
  const session = sessions.restore(restored);
  restoreSubscriptions(session, restored, subscriptions);
}

/** They were valid once: a limit that is lower today does not take them away. */
function restoreSubscriptions(
  session: Session,
  restored: RestoredSession,
  subscriptions: Subscriptions,
): void {
  session.isBeingRestored = true;
  for (const stored of restored.subscriptions) {
    const parsed = parseTopicFilter(stored.filter, Number.POSITIVE_INFINITY);
    if (parsed !== undefined) subscriptions.restore(session, stored, parsed);
  }
  session.isBeingRestored = false;
}

function restoreShared(restored: RestoredShared, { subscriptions, journal }: RestoredParts): void {
  const { queue, group, filter, figures } = restored;
  const shared = subscriptions.sharedOf(group, filter);
  if (shared === undefined) journal.promise({ kind: "sharedEnded", queue });
  else shared.store(queue, figures);
}
