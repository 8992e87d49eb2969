/** All that a store holds at one moment, in the order in which an export writes it. */
import type { RestoredSession, StoredMessage, StoredRow } from "../../broker/ports.ts";

/** Each iterable can be walked once, in the order of the fields. */
export interface StoreContent {
  readonly sessions: Iterable<Omit<RestoredSession, "figures">>;
  readonly shared: Iterable<{
    readonly queue: number;
    readonly group: string;
    readonly filter: string;
  }>;
  readonly retained: Iterable<StoredMessage>;
  readonly messages: Iterable<ContentMessage>;
  /** What is under way without its message: PUBRELs. */
  readonly releases: Iterable<StoredRow>;
}

/** A message with all the places that it has in queues. */
export interface ContentMessage {
  readonly message: number;
  readonly content: StoredMessage;
  readonly rows: Iterable<StoredRow>;
}
