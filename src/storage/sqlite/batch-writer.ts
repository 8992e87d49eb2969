/**
 * Turns a batch of changes into one buffer for the worker, on the main thread: a few dozen nanoseconds for each change.
 * The buffer comes back with the answer and is used again.
 */
import { unreachable } from "../../base/index.ts";
import type { StorageChange, StoredSession, StoredSubscription } from "../../broker/ports.ts";
import { Entry, SessionFlag, SubscriptionOption } from "./batch-form.ts";
import { ByteWriter } from "./byte-writer.ts";
import { writeMessage, writeRow } from "./forms.ts";

type ChangeOf<Kind extends StorageChange["kind"]> = Extract<StorageChange, { kind: Kind }>;

/** The batch, ready to be transferred. `spare` is a buffer that may be written over. */
export function encodeBatch(changes: readonly StorageChange[], spare: ArrayBuffer): ArrayBuffer {
  const writer = new ByteWriter(spare);
  let at = 0;
  while (at < changes.length) {
    const change = changes[at];
    if (change.kind === "removed") at += writeRemoved(writer, changes, at);
    else if (change.kind === "sent") at += writeSent(writer, changes, at);
    else {
      writeOne(writer, change);
      at++;
    }
  }
  writer.writeByte(Entry.end);
  return writer.buffer;
}

/** Answers how many changes went into the entry. */
function writeRemoved(
  writer: ByteWriter,
  changes: readonly StorageChange[],
  start: number,
): number {
  const { queue, position, message } = changes[start] as ChangeOf<"removed">;
  const step = message === 0 ? 0 : 1;
  let count = 1;
  while (start + count < changes.length) {
    const next = changes[start + count];
    if (next.kind !== "removed" || next.queue !== queue) break;
    if (next.position !== position + count || next.message !== message + count * step) break;
    count++;
  }
  writer.writeByte(Entry.removed);
  writer.writeNumber(queue);
  writer.writeNumber(position);
  writer.writeUint32(count);
  writer.writeNumber(message);
  return count;
}

function writeSent(writer: ByteWriter, changes: readonly StorageChange[], start: number): number {
  const { queue, position, packetIdentifier } = changes[start] as ChangeOf<"sent">;
  let count = 1;
  while (start + count < changes.length) {
    const next = changes[start + count];
    if (next.kind !== "sent" || next.queue !== queue) break;
    if (next.position !== position + count) break;
    if (next.packetIdentifier !== packetIdentifier + count) break;
    count++;
  }
  writer.writeByte(Entry.sent);
  writer.writeNumber(queue);
  writer.writeNumber(position);
  writer.writeUint32(count);
  writer.writeUint32(packetIdentifier);
  return count;
}

function writeOne(
  writer: ByteWriter,
  change: Exclude<StorageChange, { kind: "removed" | "sent" }>,
): void {
  switch (change.kind) {
    case "message":
      writer.writeByte(Entry.message);
      writer.writeNumber(change.message);
      writer.writeUint32(change.references);
      writeMessage(writer, change.content);
      break;
    case "row":
      writer.writeByte(Entry.row);
      writeRow(writer, change.row);
      break;
    case "moved":
      writer.writeByte(Entry.moved);
      writer.writeNumber(change.queue);
      writer.writeNumber(change.position);
      writeRow(writer, change.row);
      break;
    case "trimmed":
      writeTrimmed(writer, change);
      break;
    case "session":
      writer.writeByte(Entry.session);
      writeSession(writer, change.session);
      break;
    case "sessionEnded":
      writer.writeByte(Entry.sessionEnded);
      writer.writeNumber(change.queue);
      break;
    case "subscribed":
      writer.writeByte(Entry.subscribed);
      writer.writeNumber(change.queue);
      writeSubscription(writer, change.subscription);
      break;
    case "unsubscribed":
      writer.writeByte(Entry.unsubscribed);
      writer.writeNumber(change.queue);
      writer.writeText(change.filter);
      break;
    default:
      writeOther(writer, change);
  }
}

function writeOther(
  writer: ByteWriter,
  change: ChangeOf<
    "shared" | "sharedEnded" | "received" | "released" | "retained" | "retainedDeleted"
  >,
): void {
  writer.writeByte(Entry[change.kind]);
  switch (change.kind) {
    case "shared":
      writer.writeNumber(change.queue);
      writer.writeText(change.group);
      writer.writeText(change.filter);
      break;
    case "sharedEnded":
      writer.writeNumber(change.queue);
      break;
    case "received":
    case "released":
      writer.writeNumber(change.queue);
      writer.writeUint32(change.packetIdentifier);
      break;
    case "retained":
      writeMessage(writer, change.content);
      break;
    case "retainedDeleted":
      writer.writeText(change.topic);
      break;
    default:
      unreachable(change);
  }
}

function writeTrimmed(writer: ByteWriter, change: ChangeOf<"trimmed">): void {
  writer.writeByte(Entry.trimmed);
  writer.writeNumber(change.queue);
  writer.writeNumber(change.now);
  writer.writeNumber(change.messagesMax);
  writer.writeNumber(change.bytesMax);
  writer.writeByte(change.drop === "oldest" ? 1 : 0);
}

function writeSession(writer: ByteWriter, session: StoredSession): void {
  const { userName, will } = session;
  writer.writeByte(
    (session.isV5 ? SessionFlag.isV5 : 0) |
      (session.isConnected ? SessionFlag.isConnected : 0) |
      (will === undefined ? 0 : SessionFlag.hasWill) |
      (userName === undefined ? 0 : SessionFlag.hasUserName),
  );
  writer.writeNumber(session.queue);
  writer.writeText(session.clientIdentifier);
  writer.writeNumber(session.expirySeconds);
  writer.writeNumber(session.expiresAt);
  if (userName !== undefined) writer.writeText(userName);
  if (will === undefined) return;
  writer.writeNumber(will.delaySeconds);
  writer.writeNumber(will.publishAt);
  writeMessage(writer, will.message);
}

function writeSubscription(writer: ByteWriter, subscription: StoredSubscription): void {
  writer.writeByte(
    subscription.qos |
      (subscription.noLocal ? SubscriptionOption.noLocal : 0) |
      (subscription.retainAsPublished ? SubscriptionOption.retainAsPublished : 0) |
      (subscription.retainHandling << SubscriptionOption.retainHandlingShift),
  );
  writer.writeUint32(subscription.identifier);
  writer.writeText(subscription.filter);
}
