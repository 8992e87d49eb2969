/** What a store holds, as the records of an export. Nothing of it is left out. */
import type { RestoredSession, StoredRow, StoredSubscription } from "../../broker/index.ts";
import type { StoreContent } from "../../storage/index.ts";
import { writeMessageRecord } from "./message-record.ts";
import { writeTime } from "./record-values.ts";
import { type ExportRecord, exportFormat, type RecordOf } from "./records.ts";

interface Origin {
  /** Of the program that writes them. */
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export function* writeRecords(
  content: StoreContent,
  { version, now }: Origin,
): Generator<ExportRecord> {
  let records = 1;
  yield { kind: "tstack", format: exportFormat, version, at: writeTime(now) };
  for (const record of writeContent(content)) {
    records++;
    yield record;
  }
  yield { kind: "end", records };
}

function* writeContent(content: StoreContent): Generator<ExportRecord> {
  const nameOf = new Map<number, string>();
  for (const session of content.sessions) {
    nameOf.set(session.session.queue, session.session.clientIdentifier);
    yield* writeSession(session);
  }
  for (const { queue, group, filter } of content.shared) {
    nameOf.set(queue, `$share/${group}/${filter}`);
    yield { kind: "shared", queue, group, filter };
  }
  for (const message of content.retained) {
    yield { kind: "retained", ...writeMessageRecord(message) };
  }
  for (const { message, content: stored, rows } of content.messages) {
    yield { kind: "message", message, ...writeMessageRecord(stored) };
    for (const row of rows) yield writeRow(row, nameOf.get(row.queue));
  }
  for (const row of content.releases) yield writeRow(row, nameOf.get(row.queue));
  for (const { kind: of, name, value } of content.records) {
    yield { kind: "record", of, name, value };
  }
}

function* writeSession(restored: Omit<RestoredSession, "figures">): Generator<ExportRecord> {
  const { expiresAt, will, ...session } = restored.session;
  yield {
    kind: "session",
    ...session,
    expiresAt: writeTime(expiresAt),
    will: will && {
      delaySeconds: will.delaySeconds,
      publishAt: writeTime(will.publishAt),
      message: writeMessageRecord(will.message),
    },
  };
  const { queue } = session;
  for (const subscription of restored.subscriptions) {
    yield { kind: "subscription", queue, ...subscription } satisfies RecordOf<"subscription"> &
      StoredSubscription;
  }
  for (const packetIdentifier of restored.receivedIdentifiers) {
    yield { kind: "received", queue, packetIdentifier };
  }
}

function writeRow(row: StoredRow, owner: string | undefined): RecordOf<"queued"> {
  const { queue, position, message, subscriptionIdentifiers, packetIdentifier, ...rest } = row;
  return {
    kind: "queued",
    queue,
    for: owner,
    position,
    message: message === 0 ? undefined : message,
    ...rest,
    subscriptionIdentifiers:
      subscriptionIdentifiers.length === 0 ? undefined : [...subscriptionIdentifiers],
    packetIdentifier: packetIdentifier === 0 ? undefined : packetIdentifier,
    expiresAt: writeTime(row.expiresAt),
  };
}
