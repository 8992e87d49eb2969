/**
 * The folder of one tconsume: its lock, and the client identifier that it made up, which is kept so that the broker finds
 * its session again. Spools and dead letters of the pipeline lie beside them.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { TstackError } from "../../base/index.ts";
import { FolderLock, makeFolder, syncFile } from "../../storage/index.ts";

const identifierFileName = "client-id";

export class DataFolder {
  readonly path: string;
  readonly #lock: FolderLock;

  private constructor(path: string, lock: FolderLock) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Makes the folder where it is not there.
   * @param holder who works with it, for whoever finds it locked: `tconsume, process 4711`
   * @throws TstackError STORAGE_LOCKED where another holds it, or one that says why it cannot be used
   */
  static take(path: string, holder: string): DataFolder {
    orSayWhy(path, () => makeFolder(path));
    return new DataFolder(path, FolderLock.take(path, holder, "tconsume"));
  }

  /** The client identifier of this folder; the first time it is made up. */
  clientIdentifier(makeUp: () => string): string {
    const file = join(this.path, identifierFileName);
    const kept = readIdentifier(file);
    if (kept !== undefined) return kept;
    const identifier = makeUp();
    orSayWhy(this.path, () => replaceFile(file, `${identifier}\n`));
    return identifier;
  }

  release(): void {
    this.#lock.release();
  }
}

function replaceFile(file: string, text: string): void {
  const part = `${file}.part`;
  const descriptor = openSync(part, "w", 0o600);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(part, file);
  syncFile(dirname(file));
}

function orSayWhy(folder: string, body: () => void): void {
  try {
    body();
  } catch (error) {
    throw error instanceof TstackError ? error : unwritable(folder, error);
  }
}

function unwritable(folder: string, cause: unknown): TstackError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `the data folder ${folder} cannot be written (${reason}): name another one with --data`;
  return new TstackError("STORAGE_OPEN_FAILED", message, { cause });
}

function readIdentifier(file: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw unreadable(file, cause);
  }
  const identifier = text.trim();
  if (identifier === "") {
    throw new TstackError(
      "STORAGE_DAMAGED",
      `${file} holds no client identifier: delete it for a new one, and a new session, or say --id`,
    );
  }
  return identifier;
}

function unreadable(file: string, cause: unknown): TstackError {
  const message = `the client identifier in ${file} cannot be read: give this user the right to`;
  return new TstackError("STORAGE_OPEN_FAILED", message, { cause });
}
