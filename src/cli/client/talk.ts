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
  const tell = (line: string) => stderr.write(`${programName}: ${line}\n`);
  return {
    say: options.quiet ? () => undefined : tell,
    debug: options.debug ? tell : () => undefined,
    debugging: options.debug,
  };
}
