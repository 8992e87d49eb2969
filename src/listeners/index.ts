/** Where clients connect: opens what a URL names and hands every connection to the broker as a `Transport`. */
import { unreachable } from "../base/index.ts";
import type { TransportAcceptor } from "../broker/ports.ts";
import { parseListenUrl } from "./listen-url.ts";
import {
  type ListenContext,
  type Listener,
  type ListenOptions,
  resolveContext,
} from "./listener.ts";
import { listenTcp } from "./tcp.ts";
import { listenUnix } from "./unix.ts";
import { listenWebSocket } from "./websocket.ts";

export { whenDrained } from "./drain.ts";
export { isLoopbackUrl, parseListenUrl } from "./listen-url.ts";
export type { Listener, ListenOptions } from "./listener.ts";

/**
 * Opens a listener.
 *
 * @example
 * const listener = await listen("mqtt://127.0.0.1:0", broker);
 * listener.url; // "mqtt://127.0.0.1:40213"
 * await listener.close();
 * @throws TstackError LISTEN_URL_INVALID, LISTEN_ADDRESS_IN_USE, LISTEN_FAILED
 */
export async function listen(
  url: string,
  acceptor: TransportAcceptor,
  options: ListenOptions = {},
): Promise<Listener> {
  return open(url, resolveContext(acceptor, options));
}

function open(url: string, context: ListenContext): Promise<Listener> {
  const address = parseListenUrl(url);
  switch (address.kind) {
    case "tcp":
      return listenTcp(address, context);
    case "websocket":
      return listenWebSocket(address, context);
    case "unix":
      return listenUnix(address, context);
    default:
      return unreachable(address);
  }
}
