/**
 * What stands in a batch on its way to the worker: a byte that says what comes, and its numbers, texts and bytes. Changes
 * that follow each other one by one are one entry: what a queue sends and what it gets acknowledged mostly does.
 */
export const Entry = {
  end: 0,
  message: 1,
  row: 2,
  /** Queue, first position, number of rows, first packet identifier. */
  sent: 3,
  moved: 4,
  /** Queue, first position, number of rows, first message; message 0 for all of them when that is 0. */
  removed: 5,
  trimmed: 6,
  session: 7,
  sessionEnded: 8,
  subscribed: 9,
  unsubscribed: 10,
  shared: 11,
  sharedEnded: 12,
  received: 13,
  released: 14,
  /** Its topic is in the message. */
  retained: 15,
  retainedDeleted: 16,
} as const;

/** Bits of a session's flags byte. */
export const SessionFlag = { isV5: 1, isConnected: 2, hasWill: 4, hasUserName: 8 } as const;

/** Bits of a subscription's options byte: as in SUBSCRIBE (5.0, section 3.8.3.1). */
export const SubscriptionOption = {
  noLocal: 4,
  retainAsPublished: 8,
  retainHandlingShift: 4,
} as const;
