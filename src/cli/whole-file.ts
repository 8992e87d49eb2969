/**
 * A file that is there as a whole or not at all: it is written beside its place with its final mode, and moved there when
 * it is on disk. So nobody reads half a key, and no moment passes in which others may read it.
 */
import {
  closeSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { assert } from "../base/index.ts";
import { describeSystemError, ProgramFailure } from "./client/index.ts";

/** A place that has been taken for a file: what can go wrong before its content is known has gone well. */
export class WholeFile {
  readonly #file: string;
  readonly #part: string;
  #descriptor: number | undefined;

  /** @throws ProgramFailure */
  constructor(file: string, mode: number) {
    this.#file = file;
    this.#part = join(dirname(file), `.${basename(file)}.${process.pid}.part`);
    this.#descriptor = attempt(file, () => {
      rmSync(this.#part, { force: true }); // of a process that was killed
      return openSync(this.#part, "wx", mode);
    });
  }

  /** Ends the file with `content`. @throws ProgramFailure, and leaves nothing behind */
  write(content: string): void {
    const descriptor = this.#descriptor;
    assert(descriptor !== undefined, "a file is written once");
    try {
      attempt(this.#file, () => {
        writeFileSync(descriptor, content);
        fsyncSync(descriptor);
        this.#close();
        renameSync(this.#part, this.#file);
        syncFolder(dirname(this.#file));
      });
    } catch (error) {
      this.discard();
      throw error;
    }
  }

  /** Gives the place back, unless the file was written. */
  discard(): void {
    this.#close();
    rmSync(this.#part, { force: true });
  }

  #close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** @throws ProgramFailure */
export function writeWholeFile(file: string, content: string, mode: number): void {
  new WholeFile(file, mode).write(content);
}

export function isThere(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function attempt<Result>(file: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const message = `cannot write ${file}: ${describeSystemError(error as Error)}`;
    throw new ProgramFailure(message, { cause: error });
  }
}
