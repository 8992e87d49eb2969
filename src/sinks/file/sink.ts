/**
 * Appends to a file. A batch is written when it is on the disk; where it cannot be, nothing of it stays in the file.
 * The path is looked at before each batch, so a file that was moved or removed by others is followed by a new one.
 */
import { type MappedMessage, type Sink, SinkUnavailable, type SinkWorld } from "../sink.ts";
import { DataFile } from "./data-file.ts";
import { formatRecords } from "./format.ts";
import { OldFiles } from "./old-files.ts";
import type { FileSettings } from "./settings.ts";

export class FileSink implements Sink {
  readonly #settings: FileSettings;
  readonly #say: (line: string) => void;
  readonly #oldFiles: OldFiles;
  #file: DataFile | undefined;

  constructor(settings: FileSettings, { say }: SinkWorld) {
    this.#settings = settings;
    this.#say = say;
    this.#oldFiles = new OldFiles(settings.path, settings.rotation.filesMax, say);
  }

  async write(batch: readonly MappedMessage[]): Promise<number> {
    const { path, format } = this.#settings;
    const { text, count } = formatRecords[format](batch);
    if (count === 0) return 0;
    try {
      const file = await this.#findFile(Buffer.byteLength(text));
      await file.append(text);
    } catch (error) {
      await this.#closeFile();
      throw error instanceof SinkUnavailable ? error : unavailable(path, error);
    }
    return count;
  }

  async close(): Promise<void> {
    await this.#closeFile();
    await this.#oldFiles.settled();
  }

  /** The file at the path, with room for so many bytes. */
  async #findFile(bytes: number): Promise<DataFile> {
    let file = this.#file;
    if (file !== undefined && !(await file.isInPlace())) {
      this.#say(`${this.#settings.path} was moved away: a new one is begun`);
      await this.#closeFile();
      file = undefined;
    }
    file ??= await this.#open();
    if (!this.#isFull(file, bytes)) return file;
    await this.#closeFile();
    await this.#oldFiles.add(this.#settings.path, new Date());
    return this.#open();
  }

  async #open(): Promise<DataFile> {
    const { path, format } = this.#settings;
    this.#file = await DataFile.open(path, format, this.#say);
    this.#oldFiles.tidy();
    return this.#file;
  }

  #isFull(file: DataFile, bytes: number): boolean {
    const { bytesMax, secondsMax } = this.#settings.rotation;
    if (file.bytes === 0) return false;
    if (file.bytes + bytes > bytesMax) return true;
    return Date.now() - file.bornAtMilliseconds >= secondsMax * 1000;
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}

const texts: Readonly<Record<string, string>> = {
  ENOSPC: "no space left on the disk",
  EDQUOT: "the quota of this user is used up",
  EACCES: "permission denied",
  EROFS: "the disk is read-only",
  ENOENT: "there is no such folder",
  ENOTDIR: "a part of this path is no folder",
  EISDIR: "this is a folder, and not a file",
};

function unavailable(path: string, cause: unknown): SinkUnavailable {
  const { code = "", message } = cause as NodeJS.ErrnoException;
  return new SinkUnavailable(`${path} cannot be written: ${texts[code] ?? message}`, { cause });
}
