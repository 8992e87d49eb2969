/** Where clients connect: opens what a URL names and hands every connection to the broker as a `Transport`. */
import { unreachable } from "../base/index.ts";
import type { TransportAcceptor } from "../broker/ports.ts";
import { invalidUrl, type ListenAddress, parseListenUrl } from "./listen-url.ts";
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
export type { ProxyProtocolSettings } from "./proxy-protocol.ts";
export { readTlsFiles } from "./tls-files.ts";
export type { TlsSettings } from "./tls-settings.ts";
export { WatchedFiles } from "./watched-files.ts";

/**
 * Opens a listener.
 *
 * @example
 * const listener = await listen("mqtt://127.0.0.1:0", broker);
 * listener.url; // "mqtt://127.0.0.1:40213"
 * await listener.close();
 * @throws TstackError LISTEN_URL_INVALID, LISTEN_ADDRESS_IN_USE, LISTEN_FAILED, CERTIFICATE_INVALID, CONFIGURATION_INVALID
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
  checkSettings(url, address, context);
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

/** A listener that is less safe than its settings say must not open. */
function checkSettings(
  url: string,
  address: ListenAddress,
  { tls, proxyProtocol }: ListenContext,
): void {
  const isEncrypted = address.kind !== "unix" && address.isEncrypted;
  if (isEncrypted && tls === undefined) {
    throw invalidUrl(url, "TLS needs a certificate: name its file and the file of its key");
  }
  if (!isEncrypted && tls !== undefined) {
    throw invalidUrl(url, "it has a certificate and does not encrypt; write mqtts:// or wss://");
  }
  if (address.kind === "unix" && proxyProtocol !== undefined) {
    throw invalidUrl(
      url,
      "proxyProtocol is for proxies with an address; use it with mqtt:// or ws://",
    );
  }
}
