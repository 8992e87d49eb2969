/**
 * Puts the API where only its owner gets: on the Unix socket `tstack.sock` in the broker's folder. It is made in a folder of
 * its own that nobody else may enter and moved to its place with its mode set, so at no moment may others open it, and a
 * stale one is replaced. Whoever calls this holds the folder's lock: nobody else's socket stands there.
 */
import { chmod, mkdtemp, rename, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { TstackError } from "../base/index.ts";
import type { AdminApi } from "./routes.ts";

/** As the least of all systems has it: macOS. */
const pathBytesMax = 103;

export interface AdminListener {
  readonly path: string;
  /** Removes the socket and ends its connections. */
  close(): Promise<void>;
}

export function adminSocketOf(folder: string): string {
  return join(folder, "tstack.sock");
}

/** Throws ADMIN_UNREACHABLE where there can be no socket: a broker runs without its API then. */
export async function listenAdmin(api: AdminApi, folder: string): Promise<AdminListener> {
  const path = adminSocketOf(folder);
  const bytes = Buffer.byteLength(path);
  if (bytes > pathBytesMax) {
    await api.close();
    throw withoutApi(
      `the path ${path} is ${bytes} bytes long and a socket's may have ${pathBytesMax}; choose a shorter folder with --data`,
    );
  }
  try {
    await listenUnseen(api, folder, path);
  } catch (error) {
    await api.close();
    throw withoutApi(`the socket ${path} cannot be made: ${(error as Error).message}`, error);
  }
  return {
    path,
    async close() {
      await rm(path, { force: true });
      await api.close();
    },
  };
}

function withoutApi(why: string, cause?: unknown): TstackError {
  const message = `no API, so tuser and treg cannot reach this broker: ${why}`;
  return new TstackError("ADMIN_UNREACHABLE", message, { cause });
}

async function listenUnseen(api: AdminApi, folder: string, path: string): Promise<void> {
  // Not longer than the path itself; made with mode 0700.
  const hidden = await mkdtemp(join(folder, ".t"));
  const unseen = join(hidden, "s");
  try {
    await api.listen({ path: unseen });
    await chmod(unseen, 0o600);
    await rename(unseen, path);
  } finally {
    await rm(unseen, { force: true });
    await rmdir(hidden);
  }
}
