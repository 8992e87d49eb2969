/** When a queue is full: the same for one in memory and one in the storage. */
import type { Limits } from "../base/index.ts";

/** What several queues hold together. */
export interface QueueAccount {
  messages: number;
  bytes: number;
}

/** What waits in a queue. */
interface Filling {
  readonly length: number;
  readonly bytes: number;
}

/** About what a message's place in a queue takes, besides the message. */
export const placeBytes = 100;

/** However many bytes it has, one message may wait alone; `account` is what all shared subscriptions hold. */
export function isFullFor(
  size: number,
  { length, bytes }: Filling,
  limits: Limits,
  account: QueueAccount | undefined,
): boolean {
  if (length >= limits.queueMessagesMax) return true;
  if (length > 0 && bytes + size > limits.queueBytesMax) return true;
  return account !== undefined && account.bytes + size + placeBytes > limits.sharedQueueBytesMax;
}

/** Whether more waits than may. */
export function isOverfull({ length, bytes }: Filling, limits: Limits): boolean {
  return length > limits.queueMessagesMax || (length > 1 && bytes > limits.queueBytesMax);
}
