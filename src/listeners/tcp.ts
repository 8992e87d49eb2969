/**
 * MQTT over TCP and TLS: `mqtt://host:port`, `mqtts://host:port`. One of the ordered, lossless streams of bytes that the standard asks for
 * [MQTT-4.2-1], 3.1.1: [MQTT-7.1.1-1]; the others are beside it.
 */
import { createServer } from "node:net";
import { listenThrough } from "./front.ts";
import { formatListenUrl, type TcpAddress } from "./listen-url.ts";
import type { ListenContext, Listener } from "./listener.ts";
import { namePeer } from "./peer-name.ts";
import { closeServer, keepAliveMilliseconds, openPort } from "./server.ts";
import { acceptSocket, newSharedReads } from "./socket-transport.ts";

export function listenTcp(address: TcpAddress, context: ListenContext): Promise<Listener> {
  if (!address.isEncrypted && context.proxyProtocol === undefined) {
    return listenPlain(address, context);
  }
  return listenThrough(address, context, ({ arrival, release }) => {
    acceptSocket(arrival.socket, release(), context);
  });
}

async function listenPlain(address: TcpAddress, context: ListenContext): Promise<Listener> {
  const server = createServer({
    allowHalfOpen: true,
    pauseOnConnect: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveMilliseconds,
  });
  const url = formatListenUrl(await openPort(server, address, context.log));
  const reads = newSharedReads();
  server.on("connection", (accepted) => {
    const socket = reads.take(accepted);
    acceptSocket(socket, { remoteAddress: namePeer(socket), listener: url }, context);
  });
  return { url, close: () => closeServer(server) };
}
