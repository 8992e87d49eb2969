/** What becomes of a message, in words: its readings, and what each sink would get. `--explain`, and the lines of `--dry-run`. */
import { buffer } from "node:stream/consumers";
import { TstackError, toVisible } from "../../base/index.ts";
import type { ConsumedMessage, FieldValue, Reading } from "../../readings/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { ArrivalClock } from "./arrival-clock.ts";
import type { Course, ExplainOptions } from "./options.ts";

export interface Explanation {
  readonly text: string;
  /** Whether the mapping could read it. */
  readonly isReadable: boolean;
}

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

/** Whatever it holds: nothing of it moves the cursor of a terminal. */
export function explainMessage(message: ConsumedMessage, course: Course): Explanation {
  const { text, isReadable } = describe(message, course);
  return { text: text.split("\n").map(toVisible).join("\n"), isReadable };
}

function describe(message: ConsumedMessage, { mapping, sinks }: Course): Explanation {
  const title = `${message.topic}, ${message.payload.length} bytes`;
  let readings: readonly Reading[] = [];
  let isReadable = true;
  const parts: string[] = [];
  try {
    readings = mapping.map(message);
    if (readings.length === 0) parts.push("  is dropped by the mapping\n");
    else parts.push(...readings.map((reading) => `  ${describeReading(reading)}\n`));
  } catch (error) {
    if (!(error instanceof TstackError)) throw error;
    isReadable = false;
    parts.push(`  is unreadable, a dead letter: ${error.message}\n`);
  }
  for (const { name, sink } of sinks) {
    if (readings.length === 0 && sink.takesMessages !== true) continue;
    const text = sink.explain({ message, readings }).trimEnd() || "nothing: it cannot hold that";
    const lines = text.split("\n");
    parts.push(`${name} (${sink.destination})\n`, ...lines.map((line) => `  ${line}\n`));
  }
  return { text: `${title}\n${parts.join("")}`, isReadable };
}

function describeReading({ series, fields, time }: Reading): string {
  const { name, tags, units } = series;
  const words = [name];
  for (const [tag, value] of tags) words.push(`${tag}=${value}`);
  const values = Array.from(fields, ([field, value]) => {
    const unit = units.get(field);
    return `${field} ${describeValue(value)}${unit === undefined ? "" : ` ${unit}`}`;
  });
  return `${words.join(" ")}: ${values.join(", ")} at ${new Date(time / 1000).toISOString()}`;
}

function describeValue(value: FieldValue): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
