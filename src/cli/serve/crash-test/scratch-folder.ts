/** The folder that a crash test works in: a new one inside the folder that is given, which may not exist yet itself. */
import { mkdir, mkdtemp, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { describeSystemError, ProgramFailure } from "../../client/index.ts";

export class ScratchFolder {
  readonly path: string;
  /** The first folder that had to be made for it; undefined when all were there. */
  readonly #made: string | undefined;
  readonly #parent: string;

  private constructor(path: string, parent: string, made: string | undefined) {
    this.path = path;
    this.#parent = parent;
    this.#made = made;
  }

  /** @throws {ProgramFailure} when it cannot be made there */
  static async make(parent: string): Promise<ScratchFolder> {
    try {
      const made = await mkdir(parent, { recursive: true });
      return new ScratchFolder(await mkdtemp(join(parent, "crash-test-")), parent, made);
    } catch (error) {
      const reason = describeSystemError(error as Error);
      throw new ProgramFailure(`cannot make a folder in ${parent}: ${reason}`, { cause: error });
    }
  }

  /** With everything in it. Of the folders around it only one that was made for it goes, and only if nothing else is there. */
  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    if (this.#made === undefined) return;
    try {
      await rmdir(this.#parent);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
    }
  }
}
