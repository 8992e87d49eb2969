/**
 * What the servers of all listeners share: opening, refusing with a sentence for people, surviving
 * connections that cannot be accepted, and stopping. After `openServer` no error of a server goes unheard.
 */
import type { AddressInfo, ListenOptions, Server } from "node:net";
import { setImmediate } from "node:timers/promises";
import { type Log, TstackError } from "../base/index.ts";
import { formatListenUrl, type InternetAddress, type ListenAddress } from "./listen-url.ts";

/** Connections that may wait to be accepted: a fleet of devices comes back all at once. */
export const backlogConnectionsMax = 4096;
/** Half-open connections are found by the operating system from this silence on. */
export const keepAliveMilliseconds = 60_000;
const warningIntervalMilliseconds = 10_000;

/** Opens a port. Returns the address with its real port. */
export async function openPort<Address extends ListenAddress & InternetAddress>(
  server: Server,
  address: Address,
  log: Log,
): Promise<Address> {
  const { host, port } = address;
  await openServer(server, { host, port, backlog: backlogConnectionsMax }, address);
  guardServer(server, address, log);
  return { ...address, port: (server.address() as AddressInfo).port };
}

/** Listens, or throws the `TstackError` that says why not. */
export async function openServer(
  server: Server,
  options: ListenOptions,
  address: ListenAddress,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const refuse = (error: Error) => reject(explainListenError(error, address));
  server.once("error", refuse);
  server.listen(options, resolve);
  await promise;
  server.off("error", refuse);
}

/** A connection that cannot be accepted (too many open files) must not end the program, nor flood its log. */
export function guardServer(server: Server, address: ListenAddress, log: Log): void {
  const listener = formatListenUrl(address);
  let failures = 0;
  let warnedAt = -Infinity;
  server.on("error", (error) => {
    failures += 1;
    const now = performance.now();
    if (now - warnedAt < warningIntervalMilliseconds) return;
    warnedAt = now;
    log.warn({ listener, error, failures }, "could not accept a connection");
  });
}

/** Stops accepting at once; connections that are open stay. */
export async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  // The operating system lets go of the address when this turn of the event loop ends.
  await setImmediate();
}

/** What happened, where, and what to do about it. */
export function explainListenError(error: Error, address: ListenAddress): TstackError {
  const code = (error as NodeJS.ErrnoException).code ?? error.message;
  const inUse = code === "EADDRINUSE";
  return new TstackError(
    inUse ? "LISTEN_ADDRESS_IN_USE" : "LISTEN_FAILED",
    address.kind === "unix" ? explainUnix(code, address.path) : explainPort(code, address),
    { cause: error },
  );
}

function explainPort(code: string, address: Exclude<ListenAddress, { kind: "unix" }>): string {
  const { host, port } = address;
  const where = host === undefined ? `port ${port}` : `port ${port} of ${host}`;
  const other = (choice: number) => `--listen ${formatListenUrl({ ...address, port: choice })}`;
  switch (code) {
    case "EADDRINUSE":
      return `${where} is in use by another program; choose another with ${other(port < 65_535 ? port + 1 : 0)}`;
    case "EACCES":
      return `${where} may not be used with the rights of this user; choose one from 1024 on, for example ${other(port < 1024 ? port + 8000 : port + 1)}`;
    case "EADDRNOTAVAIL":
      return `${host} is not an address of this machine; use one of its own, 127.0.0.1 for this machine only, or 0.0.0.0 for all`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `the name ${host} has no address that can be found; write an address instead, for example 127.0.0.1`;
    default:
      return `cannot listen on ${where} (${code}); choose another with ${other(port)}`;
  }
}

function explainUnix(code: string, path: string): string {
  switch (code) {
    case "EADDRINUSE":
      return `the socket ${path} is in use by another program; choose another path with --listen unix://${path}.2`;
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return `the socket ${path} may not be made with the rights of this user; choose a directory that it may write`;
    case "ENOENT":
    case "ENOTDIR":
      return `the directory of the socket ${path} does not exist; make it, or choose another path`;
    default:
      return `cannot listen on the socket ${path} (${code}); choose another path`;
  }
}
