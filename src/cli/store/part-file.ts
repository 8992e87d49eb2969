/** A file that is there as a whole or not at all: it is written beside its place, and moved there when it is on disk. */
import { closeSync, existsSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { identityOf, syncFile } from "../../storage/index.ts";
import { ProgramFailure } from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { describeCause } from "./cause.ts";

interface Place {
  readonly file: string;
  /** What is read meanwhile. */
  readonly source: string;
  /** Replaces a file that is there already. */
  readonly force: boolean | undefined;
  readonly io: ProgramIo;
}

/** Messages may hold secrets: the file is its owner's alone. @throws ProgramFailure, and leaves nothing behind */
export async function writePartFile(
  { file, source, force, io }: Place,
  write: (part: string) => Promise<void>,
): Promise<void> {
  if (!force && existsSync(file)) {
    throw new ProgramFailure(`${file} is there already: --force replaces it`);
  }
  if (identityOf(file) === identityOf(source)) {
    throw new ProgramFailure(`${file} is what is read: write to another file`);
  }
  const part = `${file}.part`;
  const discard = () => {
    for (const rest of [part, `${part}-journal`]) rmSync(rest, { force: true });
  };
  const offInterrupt = io.onInterrupt(discard);
  try {
    discard(); // of a run that was killed
    closeSync(openSync(part, "wx", 0o600));
    await write(part);
    syncFile(part);
    renameSync(part, file);
    syncFile(dirname(file));
  } catch (error) {
    discard();
    const cause = describeCause(error);
    if (cause === undefined) throw error;
    throw new ProgramFailure(`cannot write ${file}: ${cause}`, { cause: error });
  } finally {
    offInterrupt();
  }
}
