/** The folder that a crash test works in: a new one inside the folder that is given, which may not exist yet itself. */
import { existsSync } from "node:fs";
import { mkdtemp, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../../../storage/index.ts";
import { describeSystemError, ProgramFailure } from "../../client/index.ts";

export class ScratchFolder {
  readonly path: string;
  /** Whether the folder around it had to be made. */
  readonly #isParentMade: boolean;
  readonly #parent: string;

  private constructor(path: string, parent: string, isParentMade: boolean) {
    this.path = path;
    this.#parent = parent;
    this.#isParentMade = isParentMade;
  }

  /** @throws {ProgramFailure} when it cannot be made there */
  static async make(parent: string): Promise<ScratchFolder> {
    try {
      const isParentMade = !existsSync(parent);
      makeFolder(parent);
      return new ScratchFolder(await mkdtemp(join(parent, "crash-test-")), parent, isParentMade);
    } catch (error) {
      const reason = describeSystemError(error as Error);
      throw new ProgramFailure(`cannot make a folder in ${parent}: ${reason}`, { cause: error });
    }
  }

  /** With everything in it. Of the folders around it only one that was made for it goes, and only if nothing else is there. */
  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    if (!this.#isParentMade) return;
    try {
      await rmdir(this.#parent);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
    }
  }
}
