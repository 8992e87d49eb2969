/**
 * Cuts the text of a file into lines at `\n` and nowhere else: Node's own reader of lines takes characters for the end of a
 * line that may stand within JSON. Empty lines are lines.
 */
import { createReadStream } from "node:fs";

export async function* readTextLines(file: string): AsyncGenerator<readonly string[]> {
  let unfinished: string[] = [];
  for await (const chunk of createReadStream(file, "utf8") as AsyncIterable<string>) {
    const pieces = chunk.split("\n");
    const last = pieces.pop() ?? "";
    if (pieces.length > 0) {
      pieces[0] = unfinished.join("") + pieces[0];
      unfinished = [];
      yield pieces;
    }
    unfinished.push(last);
  }
  const rest = unfinished.join("");
  if (rest !== "") yield [rest];
}
