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

const forms = "mqtt://host:port, ws://host:port/path or unix:///path";
const mqttPort = 1883;
const webSocketPort = 80;

const loopbackAddresses = new BlockList();
loopbackAddresses.addSubnet("127.0.0.0", 8, "ipv4");
loopbackAddresses.addAddress("::1", "ipv6");

/**
 * Reads a listener's URL. Left away: host = all addresses, port = 1883 for `mqtt` and 80 for `ws`
 * (the registered ports; brokers often use 8083 or 9001 for `ws`, which must be written), path = `/`.
 *
 * @example parseListenUrl("ws://[::1]:8083/mqtt")
 * // { kind: "websocket", host: "::1", port: 8083, path: "/mqtt" }
 * @throws TstackError LISTEN_URL_INVALID
 */
export function parseListenUrl(url: string): ListenAddress {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/is.exec(url);
  if (match === null) throw invalid(url, `it must have the form ${forms}`);
  const [, scheme, authority, path] = match;
  if (/[?#\s\0]/.test(path)) {
    throw invalid(url, "its path must not hold '?', '#', spaces or NUL");
  }
  switch (scheme.toLowerCase()) {
    case "mqtt":
      return parseTcp(url, authority, path);
    case "ws":
      return {
        kind: "websocket",
        ...parseAuthority(url, authority, webSocketPort),
        path: path === "" ? "/" : path,
      };
    case "unix":
      return parseUnix(url, authority, path);
    case "mqtts":
    case "wss":
      throw invalid(
        url,
        `TLS is not built yet; use ${scheme.slice(0, -1)}:// behind a proxy that ends TLS`,
      );
    default:
      throw invalid(url, `"${scheme}" is not a kind of listener; use ${forms}`);
  }
}

/** The URL of an address, every part of it written out. */
export function formatListenUrl(address: ListenAddress): string {
  if (address.kind === "unix") return `unix://${address.path}`;
  const { host = "", port } = address;
  const authority = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return address.kind === "tcp" ? `mqtt://${authority}` : `ws://${authority}${address.path}`;
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

function parseTcp(url: string, authority: string, path: string): TcpAddress {
  if (path !== "" && path !== "/") {
    throw invalid(url, "mqtt:// has no path; leave it away, or use ws:// for MQTT over WebSocket");
  }
  return { kind: "tcp", ...parseAuthority(url, authority, mqttPort) };
}

function parseUnix(url: string, authority: string, path: string): UnixAddress {
  if (authority !== "" || path.length < 2 || path.endsWith("/")) {
    throw invalid(url, "it needs three slashes and the path of a file: unix:///run/tstack.sock");
  }
  return { kind: "unix", path };
}

function parseAuthority(url: string, authority: string, defaultPort: number): InternetAddress {
  if (authority.includes("@")) {
    throw invalid(url, "a listener has no user and password; say who may connect elsewhere");
  }
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d*))?$/.exec(authority);
  if (match === null) {
    throw invalid(
      url,
      `"${authority}" is not host:port (an IPv6 address stands in brackets: [::1])`,
    );
  }
  const [, bracketed, plain, digits = ""] = match;
  const port = digits === "" ? defaultPort : Number(digits);
  if (port > 65_535) throw invalid(url, `port ${digits} is beyond 65535`);
  if (bracketed !== undefined) {
    if (!isIPv6(bracketed)) throw invalid(url, `"${bracketed}" is not an IPv6 address`);
    return { host: bracketed, port };
  }
  if (!/^[a-z0-9._-]*$/i.test(plain)) {
    throw invalid(url, `"${plain}" is not a host; for all addresses write 0.0.0.0`);
  }
  return { host: plain === "" ? undefined : plain, port };
}

function invalid(url: string, why: string): TstackError {
  return new TstackError("LISTEN_URL_INVALID", `cannot listen on "${url}": ${why}`);
}
