/**
 * One lane's way to its spool: what does not go because the disk is full or broken is told, and tried again later,
 * while it waits where it is. Commits are gathered.
 */
import { TstackError } from "../../base/index.ts";
import type { ConsumedMessage } from "../../readings/index.ts";
import { diskBytes } from "./message-size.ts";
import type { Given, LogBatch, PendingLog } from "./pending-log.ts";
import type { PipelineLimits } from "./pipeline-options.ts";
import { retryMilliseconds } from "./retry-time.ts";
import type { SinkHealth } from "./sink-health.ts";
import type { Spool } from "./spool.ts";

/**
 * Between two commits, unless a whole batch waits: acknowledgements may wait, and the disk works less. A slow disk, for
 * which everything waits meanwhile, gets half of the time at most.
 */
const commitMilliseconds = 20;

export interface SpoolGateOptions {
  readonly spool: Spool;
  readonly log: PendingLog;
  readonly health: SinkHealth;
  readonly limits: PipelineLimits;
  readonly given: Given;
  chance(): number;
  /** It is time to try again. */
  retry(): void;
}

export class SpoolGate {
  readonly #options: SpoolGateOptions;
  readonly #spool: Spool;
  #commitAt = 0;
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

  /** Moves what comes after a message out of the log, now or soon; the answer is the last that is moved. */
  moveSoon(after: number): number {
    const { limits, log } = this.#options;
    if (after === log.last) return after;
    const isWholeBatch = log.last - after >= limits.batchMessagesMax;
    const commitIn = isWholeBatch ? 0 : Math.ceil(this.#commitAt - performance.now());
    const wait = Math.max(commitIn, this.retryIn);
    const moved = wait > 0 ? after : this.#moveSome(after);
    // Others have their turn between two batches. A spool that is full has news when something is taken out.
    if (wait > 0 || (moved > after && moved < log.last)) this.#tryAgainIn(Math.max(wait, 0));
    return moved;
  }

  /** All of it, as far as there is room. */
  moveNow(after: number): number {
    let moved = after;
    for (let some = this.#moveSome(moved); some > moved; some = this.#moveSome(moved)) moved = some;
    return moved;
  }

  #moveSome(after: number): number {
    const { health } = this.#options;
    const begin = performance.now();
    const some = this.#readFitting(after);
    if (some.through === after) return after;
    const rows = some.messages.map(({ message }) => message);
    if (rows.length > 0 && !this.#attempt(() => this.#spool.append(rows))) return after;
    const end = performance.now();
    this.#commitAt = end + Math.max(commitMilliseconds, end - begin);
    health.spoolWritten();
    return some.through;
  }

  /** A batch out of the log for which the spool has room. */
  #readFitting(after: number): LogBatch {
    const { given, health, limits, log } = this.#options;
    const batch = log.read(after, limits, given);
    let room = limits.spoolBytesMax - this.#spool.bytes;
    let fitting = 0;
    for (const { message } of batch.messages) {
      room -= diskBytes(message);
      if (room < 0) break;
      fitting += 1;
    }
    if (fitting === batch.messages.length) return batch;
    if (fitting > 0) return log.read(after, { ...limits, batchMessagesMax: fitting }, given);
    health.spoolFull(this.#spool.file, limits.spoolBytesMax);
    return { messages: [], through: after };
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
