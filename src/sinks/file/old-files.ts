/**
 * Files that are full: `readings.csv` becomes `readings-20261123T125950Z.csv`, is compressed in the background to
 * `.csv.gz`, and the oldest go where only some are kept. A crash on the way leaves a file whole, never none. What goes
 * wrong here is told, and keeps nothing from being written.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { readdir, rename, rm } from "node:fs/promises";
import { join, parse } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { syncFolder } from "./data-file.ts";

interface OldFile {
  readonly name: string;
  /** `20261123T125950Z`, with `-2` after it for the second of that second. */
  readonly time: string;
}

const compressed = ".gz";
const unfinished = ".gz.tmp";

export class OldFiles {
  readonly #folder: string;
  readonly #stem: string;
  readonly #extension: string;
  readonly #filesMax: number;
  readonly #say: (line: string) => void;
  /** What is being compressed and removed, one after the other. */
  #work: Promise<void> = Promise.resolve();

  constructor(path: string, filesMax: number, say: (line: string) => void) {
    const { dir, name, ext } = parse(path);
    this.#folder = dir;
    this.#stem = `${name}-`;
    this.#extension = ext;
    this.#filesMax = filesMax;
    this.#say = say;
  }

  /** Gives the file at `path` the time as a name. */
  async add(path: string, now: Date): Promise<void> {
    const name = await this.#makeName(now);
    await rename(path, join(this.#folder, name));
    await syncFolder(this.#folder);
    this.#say(`${path} is full, and is ${name}${compressed} now`);
    this.tidy();
  }

  /** Compresses what is not yet, also of an earlier run, and removes what is too much. */
  tidy(): void {
    this.#work = this.#work
      .then(() => this.#compressAll())
      .then(() => this.#removeOldest())
      .catch((error: Error) => this.#say(`old files in ${this.#folder}: ${error.message}`));
  }

  /** Resolves when nothing is being compressed any more. */
  settled(): Promise<void> {
    return this.#work;
  }

  /** Later in the order than all others, also than those of the same second. */
  async #makeName(now: Date): Promise<string> {
    const time = now
      .toISOString()
      .replace(/\.\d+Z$/, "Z")
      .replaceAll(/[-:]/g, "");
    const numbers = (await this.#list("", compressed))
      .map(({ time: other }) => other.split("-"))
      .filter(([other]) => other === time)
      .map(([, number]) => Number(number ?? 1));
    const number = numbers.length === 0 ? "" : `-${Math.max(...numbers) + 1}`;
    return `${this.#stem}${time}${number}${this.#extension}`;
  }

  async #compressAll(): Promise<void> {
    for (const { name } of await this.#list("", unfinished)) {
      const path = join(this.#folder, name);
      if (name.endsWith(unfinished)) {
        await rm(path);
        continue;
      }
      const draft = path + unfinished;
      await pipeline(
        createReadStream(path),
        createGzip(),
        createWriteStream(draft, { flush: true, mode: 0o640 }),
      );
      await rename(draft, path + compressed);
      await syncFolder(this.#folder);
      await rm(path);
    }
  }

  async #removeOldest(): Promise<void> {
    if (this.#filesMax === Number.POSITIVE_INFINITY) return;
    const files = await this.#list("", compressed);
    for (const { name } of files.slice(0, Math.max(0, files.length - this.#filesMax))) {
      await rm(join(this.#folder, name));
    }
  }

  /** Old files with one of these endings after their own, oldest first. */
  async #list(...endings: readonly string[]): Promise<readonly OldFile[]> {
    return (await readdir(this.#folder))
      .flatMap((name) => {
        const ending = endings.find((one) => name.endsWith(this.#extension + one));
        if (ending === undefined || !name.startsWith(this.#stem)) return [];
        const end = name.length - this.#extension.length - ending.length;
        return [{ name, time: name.slice(this.#stem.length, end) }];
      })
      .filter(({ time }) => /^\d{8}T\d{6}Z(?:-\d+)?$/.test(time))
      .sort((one, other) => compareTimes(one.time, other.time));
  }
}

/** Numbers within a second as numbers. */
function compareTimes(one: string, other: string): number {
  return one.localeCompare(other, "en", { numeric: true });
}
