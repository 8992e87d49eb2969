/**
 * Opens the stream to a broker: TCP, TLS, WebSocket with or without TLS, Unix socket. Built here and
 * not by MQTT.js, so that every error of a stream is seen and Unix sockets are sockets.
 */
import { createRequire } from "node:module";
import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import type { Endpoint, TlsFiles } from "./connection-options.ts";

const require = createRequire(import.meta.url);

/** What a program of many connections adds. */
export interface TransportSharing {
  readonly lookup?: net.LookupFunction;
  /** Where sockets read into, instead of a buffer for each `data` event. A WebSocket has `data` events all the same. */
  readonly onread?: net.OnReadOpts;
}

/** @param subprotocol `mqtt`, or `mqttv3.1` for MQTT 3.1: what a WebSocket is asked for. [MQTT-6.0.0-3] */
export function openTransport(
  endpoint: Endpoint,
  subprotocol: string,
  { lookup, onread }: TransportSharing = {},
): Duplex {
  const { host, port, localAddress } = endpoint;
  const address = { host, port, localAddress, lookup, onread };
  switch (endpoint.scheme) {
    case "unix":
      return net.connect({ path: endpoint.path ?? "", onread });
    case "mqtt":
      return net.connect({ ...address, noDelay: true });
    case "mqtts": {
      const socket = tls.connect({
        ...address,
        ...tlsOptions(endpoint.tls),
        ...(net.isIP(host) === 0 ? { servername: host } : {}),
      });
      return socket.setNoDelay(true);
    }
    default: {
      // Most programs never need it, and it takes 10 MB with the HTTP behind it: much for one that runs for ever.
      const { createWebSocketStream, WebSocket } = require("ws") as typeof import("ws");
      const socket = new WebSocket(describeEndpoint(endpoint), [subprotocol], {
        localAddress,
        lookup,
        ...tlsOptions(endpoint.tls),
      });
      const stream = createWebSocketStream(socket);
      socket.on("close", () => stream.destroy());
      return stream;
    }
  }
}

function tlsOptions(files: TlsFiles): tls.ConnectionOptions {
  return {
    ca: files.ca === undefined ? undefined : [...files.ca],
    cert: files.cert,
    key: files.key,
    ...(files.alpn === undefined ? {} : { ALPNProtocols: [files.alpn] }),
    ...(files.insecure ? { checkServerIdentity: () => undefined } : {}),
    rejectUnauthorized: !(files.insecure && files.ca === undefined),
  };
}

/** The broker's address as people write it, without credentials. */
export function describeEndpoint(endpoint: Endpoint): string {
  const { scheme, host, port, path = "" } = endpoint;
  if (scheme === "unix") return `unix://${path}`;
  return `${scheme}://${net.isIPv6(host) ? `[${host}]` : host}:${port}${path}`;
}
