/**
 * Tells when files change, by looking at them again and again: unlike the operating system's notices this sees symbolic
 * links that are turned (Kubernetes) and files of other machines (NFS). It keeps no process alive.
 */
import { stat } from "node:fs/promises";

export class WatchedFiles {
  readonly #names: readonly string[];
  #seen: string;
  #timer: NodeJS.Timeout | undefined = undefined;
  #isClosed = false;

  private constructor(names: readonly string[], seen: string) {
    this.#names = names;
    this.#seen = seen;
  }

  /** To be awaited before the files are read: a change after that is seen. */
  static async look(names: readonly string[]): Promise<WatchedFiles> {
    return new WatchedFiles(names, await lookAt(names));
  }

  /** `look` is called each time, and awaited; with whether something has changed since the last time. */
  watch(milliseconds: number, look: (hasChanged: boolean) => Promise<void>): void {
    const again = async (): Promise<void> => {
      const now = await lookAt(this.#names);
      if (this.#isClosed) return;
      const hasChanged = now !== this.#seen;
      this.#seen = now;
      await look(hasChanged);
      this.watch(milliseconds, look);
    };
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void again(), milliseconds);
    this.#timer.unref();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }
}

/** What would differ if one of them were written, replaced, or put out of reach. */
async function lookAt(names: readonly string[]): Promise<string> {
  const states = names.map(async (name) => {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(name, { bigint: true });
      return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? "unknown";
    }
  });
  return (await Promise.all(states)).join("\n");
}
