/**
 * The addresses that people write behind `--listen`, as types. Parsing opens nothing and looks up no name;
 * what it refuses, it refuses with a sentence that shows a form that works.
 */
import { BlockList, isIP, isIPv6 } from "node:net";
import { TstackError } from "../base/index.ts";

/** A port of one address, or of all addresses of the machine where `host` is undefined. */
export interface InternetAddress {
  readonly host: string | undefined;
  /** 0 asks the operating system for a free one. */
  readonly port: number;
  readonly isEncrypted: boolean;
}
export interface TcpAddress extends InternetAddress {
  readonly kind: "tcp";
}
export interface WebSocketAddress extends InternetAddress {
  readonly kind: "websocket";
  readonly path: string;
}
export interface UnixAddress {
  readonly kind: "unix";
  readonly path: string;
}
export type ListenAddress = TcpAddress | WebSocketAddress | UnixAddress;

const forms =
  "mqtt://host:port, mqtts://host:port, ws://host:port/path, wss://host:port/path or unix:///path";

const loopbackAddresses = new BlockList();
loopbackAddresses.addSubnet("127.0.0.0", 8, "ipv4");
loopbackAddresses.addAddress("::1", "ipv6");

/**
 * Reads a listener's URL. Left away: host = all addresses, port = 1883 for `mqtt`, 8883 for `mqtts`, 80 for `ws` and 443
 * for `wss` (the registered ports; brokers often use 8083 or 9001 for `ws`, which must be written), path = `/`.
 *
 * @example parseListenUrl("ws://[::1]:8083/mqtt")
 * // { kind: "websocket", isEncrypted: false, host: "::1", port: 8083, path: "/mqtt" }
 * @throws TstackError LISTEN_URL_INVALID
 */
export function parseListenUrl(url: string): ListenAddress {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/is.exec(url);
  if (match === null) throw invalidUrl(url, `it must have the form ${forms}`);
  const [, scheme, authority, path] = match;
  if (/[?#\s\0]/.test(path)) {
    throw invalidUrl(url, "its path must not hold '?', '#', spaces or NUL");
  }
  switch (scheme.toLowerCase()) {
    case "mqtt":
      return parseTcp(url, path, parseAuthority(url, authority, 1883), false);
    case "mqtts":
      return parseTcp(url, path, parseAuthority(url, authority, 8883), true);
    case "ws":
      return describeWebSocket(path, parseAuthority(url, authority, 80), false);
    case "wss":
      return describeWebSocket(path, parseAuthority(url, authority, 443), true);
    case "unix":
      return parseUnix(url, authority, path);
    default:
      throw invalidUrl(url, `"${scheme}" is not a kind of listener; use ${forms}`);
  }
}

/** The URL of an address, every part of it written out. */
export function formatListenUrl(address: ListenAddress): string {
  if (address.kind === "unix") return `unix://${address.path}`;
  const { host = "", port, isEncrypted } = address;
  const authority = `${isEncrypted ? "s" : ""}://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return address.kind === "tcp" ? `mqtt${authority}` : `ws${authority}${address.path}`;
}

/** Whether only programs on this machine can reach it. Names other than `localhost` are not looked up: they cannot. */
export function isLoopbackUrl(address: ListenAddress): boolean {
  if (address.kind === "unix") return true;
  const { host } = address;
  if (host === undefined) return false;
  if (host.toLowerCase() === "localhost") return true;
  const family = isIP(host);
  return family !== 0 && loopbackAddresses.check(host, family === 4 ? "ipv4" : "ipv6");
}

type HostAndPort = Pick<InternetAddress, "host" | "port">;

function parseTcp(url: string, path: string, where: HostAndPort, isEncrypted: boolean): TcpAddress {
  if (path === "" || path === "/") return { kind: "tcp", isEncrypted, ...where };
  const [plain, webSocket] = isEncrypted ? ["mqtts", "wss"] : ["mqtt", "ws"];
  throw invalidUrl(
    url,
    `${plain}:// has no path; leave it away, or use ${webSocket}:// for MQTT over WebSocket`,
  );
}

function describeWebSocket(
  path: string,
  where: HostAndPort,
  isEncrypted: boolean,
): WebSocketAddress {
  return { kind: "websocket", isEncrypted, ...where, path: path === "" ? "/" : path };
}

function parseUnix(url: string, authority: string, path: string): UnixAddress {
  if (authority !== "" || path.length < 2 || path.endsWith("/")) {
    throw invalidUrl(url, "it needs three slashes and the path of a file: unix:///run/tstack.sock");
  }
  return { kind: "unix", path };
}

function parseAuthority(url: string, authority: string, defaultPort: number): HostAndPort {
  if (authority.includes("@")) {
    throw invalidUrl(url, "a listener has no user and password; say who may connect elsewhere");
  }
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d*))?$/.exec(authority);
  if (match === null) {
    throw invalidUrl(
      url,
      `"${authority}" is not host:port (an IPv6 address stands in brackets: [::1])`,
    );
  }
  const [, bracketed, plain, digits = ""] = match;
  const port = digits === "" ? defaultPort : Number(digits);
  if (port > 65_535) throw invalidUrl(url, `port ${digits} is beyond 65535`);
  if (bracketed !== undefined) {
    if (!isIPv6(bracketed)) throw invalidUrl(url, `"${bracketed}" is not an IPv6 address`);
    return { host: bracketed, port };
  }
  if (!/^[a-z0-9._-]*$/i.test(plain)) {
    throw invalidUrl(url, `"${plain}" is not a host; for all addresses write 0.0.0.0`);
  }
  return { host: plain === "" ? undefined : plain, port };
}

export function invalidUrl(url: string, why: string): TstackError {
  return new TstackError("LISTEN_URL_INVALID", `cannot listen on "${url}": ${why}`);
}
