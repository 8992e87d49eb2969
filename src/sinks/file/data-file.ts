/**
 * The file that is appended to. Always holds: it ends with a whole record. What is appended is on the disk when
 * `append` resolves, and is taken back when that fails; what a crash has left of a record is cut off by `open`.
 */
import { type FileHandle, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { SinkUnavailable } from "../sink.ts";
import { type FileFormat, headerOf } from "./format.ts";
import { findWholeEnd } from "./whole-records.ts";

interface OpenedFile {
  readonly path: string;
  readonly format: FileFormat;
  readonly handle: FileHandle;
  /** What the operating system knows the file by, whatever it is called by now. */
  readonly device: number;
  readonly inode: number;
  readonly bornAtMilliseconds: number;
}

export class DataFile {
  readonly #file: OpenedFile;
  #bytes: number;

  private constructor(file: OpenedFile, bytes: number) {
    this.#file = file;
    this.#bytes = bytes;
  }

  /** @throws SinkUnavailable another program's file is there; and what the operating system says */
  static async open(
    path: string,
    format: FileFormat,
    say: (line: string) => void,
  ): Promise<DataFile> {
    const handle = await open(path, "a+", 0o640);
    try {
      const stats = await handle.stat();
      // What went into a pipe or a device cannot be taken back, and is on no disk.
      if (!stats.isFile()) {
        throw new SinkUnavailable(`${path} is a pipe or a device: give another --file-path`);
      }
      const { size, dev, ino, birthtimeMs, mtimeMs } = stats;
      await checkBeginning(handle, { path, format, size });
      const wholeEnd = await findWholeEnd(handle, size, format);
      if (wholeEnd < size) {
        await handle.truncate(wholeEnd);
        say(`${path}: ${size - wholeEnd} bytes of a half-written record were cut off`);
      }
      if (size === 0) await syncFolder(dirname(path));
      // Not every file system knows when a file was made.
      const bornAtMilliseconds = birthtimeMs > 0 ? birthtimeMs : mtimeMs;
      const file = { path, format, handle, device: dev, inode: ino, bornAtMilliseconds };
      return new DataFile(file, wholeEnd);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  get bornAtMilliseconds(): number {
    return this.#file.bornAtMilliseconds;
  }

  /** Whether the path still leads to this file: others move and remove files, or empty them in place. */
  async isInPlace(): Promise<boolean> {
    const { path, device, inode } = this.#file;
    try {
      const { dev, ino, size } = await stat(path);
      this.#bytes = size;
      return dev === device && ino === inode;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw error;
    }
  }

  /** Appends whole records, after the header where there is none yet. */
  async append(text: string): Promise<void> {
    const { handle, format } = this.#file;
    const before = this.#bytes;
    const bytes = Buffer.from(before === 0 ? headerOf[format] + text : text);
    try {
      await handle.writeFile(bytes);
      await handle.datasync();
    } catch (error) {
      await handle.truncate(before);
      throw error;
    }
    this.#bytes = before + bytes.length;
  }

  close(): Promise<void> {
    return this.#file.handle.close();
  }
}

/** Nothing of another program's file is cut off, and nothing is added to it. */
async function checkBeginning(
  handle: FileHandle,
  { path, format, size }: { path: string; format: FileFormat; size: number },
): Promise<void> {
  const expected = headerOf[format] || "{";
  const length = Math.min(size, expected.length);
  const { buffer } = await handle.read(Buffer.alloc(length), 0, length, 0);
  if (buffer.toString() === expected.slice(0, length)) return;
  throw new SinkUnavailable(
    `${path} was not written by this program as ${format}: move it away, or give another --file-path`,
  );
}

/** That a file has this name outlives a power cut only when its folder is on the disk as well. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
