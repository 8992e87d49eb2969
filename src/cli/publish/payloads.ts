/** The payloads that the command line asks for, in batches: as many as came together. */
import { setTimeout as sleep } from "node:timers/promises";
import { readOptionFile } from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { checkPayloadBytes, readLines } from "./lines.ts";
import type { PublishOptions } from "./options.ts";

export interface RepeatPace {
  /** Resolves once all that was taken has been delivered. */
  delivered(): Promise<void>;
  /** Ends the waiting between two repetitions. */
  readonly signal: AbortSignal;
}

export async function* readPayloads(
  options: PublishOptions,
  io: ProgramIo,
  pace: RepeatPace,
): AsyncGenerator<readonly Buffer[]> {
  if (options.source.kind === "lines") {
    yield* readLines(io.stdin);
    return;
  }
  const payload = await readSinglePayload(options, io);
  checkPayloadBytes(payload.length);
  for (let count = 1; count <= options.repeatCount; count += 1) {
    yield [payload];
    if (options.repeatDelaySeconds > 0 && count < options.repeatCount) {
      await pace.delivered();
      await sleep(options.repeatDelaySeconds * 1000, undefined, { signal: pace.signal });
    }
  }
}

async function readSinglePayload(options: PublishOptions, io: ProgramIo): Promise<Buffer> {
  const { source } = options;
  switch (source.kind) {
    case "text":
      return Buffer.from(source.text);
    case "file":
      return readOptionFile("-f", source.file);
    default: {
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      for await (const chunk of io.stdin as AsyncIterable<Uint8Array>) {
        chunks.push(chunk);
        bytes += chunk.length;
        checkPayloadBytes(bytes);
      }
      return Buffer.concat(chunks);
    }
  }
}
