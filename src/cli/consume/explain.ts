/** `tconsume --explain TOPIC PAYLOAD`: what becomes of a message that nobody has sent. */
import { buffer } from "node:stream/consumers";
import type { ProgramIo } from "../program-io.ts";
import { ArrivalClock } from "./arrival-clock.ts";
import { explainMessage } from "./explanation.ts";
import type { ExplainOptions } from "./options.ts";

/** The exit code: 1 where the mapping cannot read the payload. */
export async function explain(options: ExplainOptions, io: ProgramIo): Promise<number> {
  const { topic, payload, course } = options;
  const bytes = payload === "-" ? await buffer(io.stdin) : Buffer.from(payload);
  const arrivedAt = new ArrivalClock().next();
  const message = { topic, payload: bytes, qos: 1, retain: false, arrivedAt } as const;
  const { text, isReadable } = explainMessage(message, course);
  io.stdout.write(text);
  return isReadable ? 0 : 1;
}
