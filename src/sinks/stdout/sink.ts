/**
 * Prints what comes. A batch is written when stdout has handed all of it to the operating system, so a reader that is
 * slow slows the consumer. Once the reader is gone nothing can be written any more: the program hears of that by
 * stdout's own `error` (EPIPE), as every program here, and ends.
 */

import { toVisible } from "../../base/index.ts";
import { type MappedMessage, type Sink, SinkUnavailable } from "../sink.ts";
import { formatLines, type StdoutFormat } from "./format.ts";

export class StdoutSink implements Sink {
  readonly #stdout: NodeJS.WritableStream;
  readonly #format: (message: MappedMessage) => readonly string[];

  constructor(stdout: NodeJS.WritableStream, format: StdoutFormat) {
    this.#stdout = stdout;
    const isTerminal = "isTTY" in stdout && stdout.isTTY === true;
    // Into a file or a pipe CSV goes as it is; the other formats hold nothing harmful.
    this.#format =
      format === "csv" && isTerminal
        ? (message) => formatLines.csv(message).map(toVisible)
        : formatLines[format];
  }

  write(batch: readonly MappedMessage[]): Promise<number> {
    const lines = batch.flatMap(this.#format);
    if (lines.length === 0) return Promise.resolve(0);
    return new Promise((resolve, reject) => {
      this.#stdout.write(`${lines.join("\n")}\n`, (error) => {
        if (error) reject(toUnavailable(error));
        else resolve(lines.length);
      });
    });
  }

  /** stdout is not ours to end. */
  async close(): Promise<void> {}
}

function toUnavailable(cause: NodeJS.ErrnoException): SinkUnavailable {
  const reason = cause.code === "EPIPE" ? "whoever read it has gone" : cause.message;
  return new SinkUnavailable(`stdout cannot be written: ${reason}`, { cause });
}
