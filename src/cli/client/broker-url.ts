/**
 * A broker in one word: `mqtt://user:password@host:port/topic`, as `-L` and TSTACK_BROKER take it.
 * Of ws and wss the path is the page of the WebSocket, of unix the file of the socket; only mqtt and
 * mqtts carry a topic, taken as it stands (`#` and `%` are letters of topics).
 */
import { UsageError } from "./failure.ts";

export type Scheme = "mqtt" | "mqtts" | "ws" | "wss" | "unix";

export interface BrokerUrl {
  readonly scheme: Scheme;
  readonly host: string;
  readonly port?: number;
  /** The page of a WebSocket or the file of a Unix socket. */
  readonly path?: string;
  readonly username?: string;
  readonly password?: string;
  readonly topic?: string;
}

const schemes: Readonly<Record<string, Scheme>> = {
  mqtt: "mqtt",
  tcp: "mqtt",
  mqtts: "mqtts",
  ssl: "mqtts",
  tls: "mqtts",
  ws: "ws",
  wss: "wss",
  unix: "unix",
};

const urlPattern = /^([a-z]+):\/\/(?:([^/]*)@)?(\[[^\]]*\]|[^:/]*)(?::(\d+))?(\/.*)?$/i;

export function parseBrokerUrl(text: string): BrokerUrl {
  const match = urlPattern.exec(text);
  const scheme = schemes[match?.[1]?.toLowerCase() ?? ""];
  if (match === null || scheme === undefined) {
    throw new UsageError(
      "this is no URL of a broker: write mqtt://host:port/topic, mqtts://, ws://, wss:// or unix:///path",
    );
  }
  const [, , userInfo, host, portText, rest] = match;
  if (scheme === "unix") {
    if (host || !rest) throw new UsageError("a Unix socket is written unix:///path/of/the/socket");
    return { scheme, host: "", path: rest };
  }
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && (port < 1 || port > 65_535)) {
    throw new UsageError(`the port of a broker is 1 to 65535, not ${port}`);
  }
  return {
    scheme,
    host: host.replace(/^\[|\]$/g, "") || "localhost",
    port,
    ...splitUserInfo(userInfo),
    ...(scheme === "ws" || scheme === "wss"
      ? { path: rest ?? "/" }
      : { topic: rest === undefined || rest === "/" ? undefined : rest.slice(1) }),
  };
}

function splitUserInfo(userInfo: string | undefined): { username?: string; password?: string } {
  if (userInfo === undefined) return {};
  const colon = userInfo.indexOf(":");
  if (colon === -1) return { username: decode(userInfo) };
  return {
    username: decode(userInfo.slice(0, colon)),
    password: decode(userInfo.slice(colon + 1)),
  };
}

/** A password with a bare `%` in it is meant as it stands. */
function decode(text: string): string {
  return /%(?![0-9a-f]{2})/i.test(text) ? text : decodeURIComponent(text);
}
