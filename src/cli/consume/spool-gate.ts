/**
 * One lane's way to its spool: what does not go because the disk is full or broken is told, and tried again later,
 * while it waits where it is. Commits are gathered.
 */
import { TstackError } from "../../base/index.ts";
import type { ConsumedMessage } from "../../readings/index.ts";
import { messageBytes } from "./message-size.ts";
import type { PendingLog } from "./pending-log.ts";
import type { PipelineLimits } from "./pipeline-options.ts";
import { retryMilliseconds } from "./retry-time.ts";
import type { SinkHealth } from "./sink-health.ts";
import type { Spool } from "./spool.ts";

/** Between two commits, unless a whole batch waits: acknowledgements may wait, and the disk works less. */
const commitMilliseconds = 20;

export interface SpoolGateOptions {
  readonly spool: Spool;
  readonly log: PendingLog;
  readonly health: SinkHealth;
  readonly limits: PipelineLimits;
  chance(): number;
  /** It is time to try again. */
  retry(): void;
}

export class SpoolGate {
  readonly #options: SpoolGateOptions;
  readonly #spool: Spool;
  #committedAt = 0;
  #failures = 0;
  #retryAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SpoolGateOptions) {
    this.#options = options;
    this.#spool = options.spool;
  }

  get messages(): number {
    return this.#spool.messages;
  }

  /** Milliseconds until the disk is tried again. */
  get retryIn(): number {
    return Math.max(0, Math.ceil(this.#retryAt - performance.now()));
  }

  /** Moves what comes after a message out of the log, now or soon; the answer is the last that the spool has. */
  moveSoon(after: number): number {
    const { limits, log } = this.#options;
    if (after === log.last) return after;
    const commitIn = Math.ceil(this.#committedAt + commitMilliseconds - performance.now());
    const isWholeBatch = log.last - after >= limits.batchMessagesMax;
    const wait = Math.max(isWholeBatch ? 0 : commitIn, this.retryIn);
    if (wait <= 0) return this.moveNow(after);
    this.#tryAgainIn(wait);
    return after;
  }

  moveNow(after: number): number {
    const { health, limits, log } = this.#options;
    let moved = after;
    while (moved < log.last) {
      const room = limits.spoolBytesMax - this.#spool.bytes;
      const batchBytesMax = Math.min(limits.batchBytesMax, room);
      const { messages, through } = log.read(moved, { ...limits, batchBytesMax });
      const rows = messages.map(({ message }) => message);
      if (sumBytes(rows) > room) {
        health.spoolFull(this.#spool.file, limits.spoolBytesMax);
        return moved;
      }
      if (rows.length > 0 && !this.#attempt(() => this.#spool.append(rows))) return moved;
      moved = through;
    }
    this.#committedAt = performance.now();
    health.spoolWritten();
    return moved;
  }

  /** Undefined when it cannot be read now. */
  read(): ConsumedMessage[] | undefined {
    let rows: ConsumedMessage[] = [];
    const isRead = this.#attempt(() => {
      rows = this.#spool.read(this.#options.limits);
    });
    return isRead ? rows : undefined;
  }

  /** False when it cannot be done now. */
  removeFirst(count: number): boolean {
    if (count > 0 && !this.#attempt(() => this.#spool.removeFirst(count))) return false;
    if (this.messages === 0) this.#options.health.spoolEmpty();
    return true;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#spool.close();
  }

  #attempt(action: () => void): boolean {
    if (this.retryIn > 0) return false;
    const { chance, health, limits } = this.#options;
    try {
      action();
      this.#failures = 0;
      return true;
    } catch (error) {
      if (!(error instanceof TstackError) || error.code !== "SPOOL_FAILED") throw error;
      health.spoolFailed(error.message);
      const wait = retryMilliseconds(this.#failures, chance(), limits);
      this.#failures += 1;
      this.#retryAt = performance.now() + wait;
      this.#tryAgainIn(wait);
      return false;
    }
  }

  #tryAgainIn(milliseconds: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#options.retry();
    }, milliseconds);
  }
}

function sumBytes(messages: readonly ConsumedMessage[]): number {
  let bytes = 0;
  for (const message of messages) bytes += messageBytes(message);
  return bytes;
}
