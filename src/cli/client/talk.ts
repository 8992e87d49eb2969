/** How a client program tells its user something: on stderr, nothing of strangers moving the cursor. */
import { toVisible } from "../../base/index.ts";

/** What a client program tells its user, on stderr, one line each, with the program's name before it. */
export interface Talk {
  /** Told unless `--quiet`. */
  say(line: string): void;
  /** Told with `--debug`. */
  debug(line: string): void;
  readonly debugging: boolean;
}

export function openTalk(
  stderr: { write(line: string): unknown },
  programName: string,
  options: { readonly quiet: boolean; readonly debug: boolean },
): Talk {
  // Topics and answers of servers are in it; line ends are of mistakes that come together, and of traces of calls.
  const tell = (line: string) =>
    stderr.write(`${programName}: ${line.split("\n").map(toVisible).join("\n")}\n`);
  return {
    say: options.quiet ? () => undefined : tell,
    debug: options.debug ? tell : () => undefined,
    debugging: options.debug,
  };
}
