/**
 * MQTT over a Unix socket: `unix:///path`. A socket file that nobody listens on any more is removed; one that is
 * alive, and a file of any other kind, never is. Closing the listener removes its file.
 */
import { existsSync, lstatSync, type Stats, unlinkSync } from "node:fs";
import { connect, createServer } from "node:net";
import { dirname } from "node:path";
import { TstackError } from "../base/index.ts";
import { formatListenUrl, type UnixAddress } from "./listen-url.ts";
import type { ListenContext, Listener } from "./listener.ts";
import {
  backlogConnectionsMax,
  closeServer,
  explainListenError,
  guardServer,
  openServer,
} from "./server.ts";
import { acceptSocket, newSharedReads } from "./socket-transport.ts";

/** What fits into `sockaddr_un` on every system that Node runs on (Linux has 107, macOS 103). */
const pathBytesMax = 103;

export async function listenUnix(address: UnixAddress, context: ListenContext): Promise<Listener> {
  const { path } = address;
  const pathBytes = Buffer.byteLength(path);
  if (pathBytes > pathBytesMax) {
    throw new TstackError(
      "LISTEN_FAILED",
      `the path of a socket may have ${pathBytesMax} bytes and ${path} has ${pathBytes}; choose a shorter one, for example unix:///run/tstack.sock`,
    );
  }
  if (!existsSync(dirname(path))) throw explainListenError(new Error("ENOENT"), address);
  await removeStaleSocket(address);
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  await openServer(server, { path, backlog: backlogConnectionsMax }, address);
  guardServer(server, address, context.log);
  const url = formatListenUrl(address);
  const reads = newSharedReads();
  server.on("connection", (accepted) => {
    acceptSocket(reads.take(accepted), { remoteAddress: "unix", listener: url }, context);
  });
  return { url, close: () => closeServer(server) };
}

async function removeStaleSocket(address: UnixAddress): Promise<void> {
  const { path } = address;
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new TstackError(
      "LISTEN_FAILED",
      `${path} exists and is not a socket, so it is left alone; remove it, or choose another path`,
    );
  }
  if (!(await isAbandoned(path))) return; // listening will say that it is in use
  try {
    // Another program may have put its own socket there while we asked.
    if (isSameFile(found, lstatSync(path, { throwIfNoEntry: false }))) unlinkSync(path);
  } catch (error) {
    throw explainListenError(error as Error, address);
  }
}

/** Only a refused connection proves that nobody listens: every other answer leaves the file alone. */
function isAbandoned(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = connect(path);
  probe.once("connect", () => {
    probe.destroy();
    resolve(false);
  });
  probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
  return promise;
}

function isSameFile(before: Stats, now: Stats | undefined): boolean {
  return now?.ino === before.ino && now.dev === before.dev && now.ctimeMs === before.ctimeMs;
}
