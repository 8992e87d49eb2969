/** A batch as bodies of bounded size; each line knows the message that it comes from. */
import type { Reading } from "../../readings/index.ts";
import type { MappedMessage } from "../sink.ts";
import { writeLine } from "./format.ts";

export interface Line {
  readonly text: string;
  /** Of its message in the batch. */
  readonly index: number;
  readonly reading: Reading;
}

export type Body = readonly Line[];

/** What proxies take by default, before compression; a longer line is a body of its own. */
const bodyCharactersMax = 1_000_000;

export function* divideIntoBodies(batch: readonly MappedMessage[]): Generator<Body> {
  let body: Line[] = [];
  let characters = 0;
  for (const [index, { readings }] of batch.entries()) {
    for (const reading of readings) {
      const text = `${writeLine(reading)}\n`;
      if (characters + text.length > bodyCharactersMax && body.length > 0) {
        yield body;
        body = [];
        characters = 0;
      }
      body.push({ text, index, reading });
      characters += text.length;
    }
  }
  if (body.length > 0) yield body;
}
