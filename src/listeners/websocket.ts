/**
 * MQTT over WebSocket: `ws://host:port/path`, `wss://host:port/path`. Only requests for the path that offer a subprotocol of MQTT become
 * connections; all others get one line that says why not.
 */
import { createServer, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ServerOptions, WebSocketServer } from "ws";
import { type Delivery, listenThrough } from "./front.ts";
import type { WebSocketAddress } from "./listen-url.ts";
import type { ListenContext, Listener, ListenLimits } from "./listener.ts";
import { acceptWebSocket } from "./websocket-transport.ts";

/** `mqtt` is that of 3.1.1 and 5.0, `mqttv3.1` that of 3.1; the first goes before the second. */
const subprotocols: readonly string[] = ["mqtt", "mqttv3.1"];

/** A smaller bound would refuse clients that put several small packets into one message. */
const messageBytesMin = 1_048_576;

export function listenWebSocket(
  address: WebSocketAddress,
  context: ListenContext,
): Promise<Listener> {
  // It never listens: it is handed connections, and their time is kept by who hands them over.
  const server = createServer((request, response) => {
    const known = readPath(request) === address.path;
    response.writeHead(known ? 426 : 404, { connection: "close", "content-type": "text/plain" });
    response.end(known ? upgradeRequired : notFound(address));
  });
  const upgrades = new WebSocketServer(webSocketOptions(context.limits));
  const deliveries = new WeakMap<Duplex, Delivery>();
  server.on("upgrade", (request, stream, head) => {
    const refusal = explainRefusal(request, address);
    if (refusal !== undefined) return refuse(stream, refusal);
    const socket = stream as Socket; // as it was handed over
    upgrades.handleUpgrade(request, socket, head, (webSocket) => {
      const names = deliveries.get(socket)?.release();
      if (names === undefined) return webSocket.terminate();
      acceptWebSocket({ webSocket, socket }, names, context);
    });
  });
  return listenThrough(address, context, (delivery) => {
    const { socket } = delivery.arrival;
    deliveries.set(socket, delivery);
    server.emit("connection", socket);
    socket.resume();
  });
}

/**
 * One message may hold several packets, and clients join what they have queued, so the bound is twice the largest
 * packet and at least 1 MiB; a longer message ends the connection with 1009.
 */
export function messageBytesMax(limits: ListenLimits): number {
  return Math.max(messageBytesMin, 2 * limits.packetBytesMax);
}

function webSocketOptions(limits: ListenLimits): ServerOptions & { closeTimeout: number } {
  return {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: messageBytesMax(limits),
    closeTimeout: limits.endSecondsMax * 1000,
    // [MQTT-6.0.0-4], 3.1.1: [MQTT-6.0.0-4]
    handleProtocols: (_offered, request) => selectSubprotocol(request) ?? false,
  };
}

interface Refusal {
  readonly status: string;
  readonly text: string;
}

const upgradeRequired = "This is MQTT over WebSocket: connect with an MQTT client.\n";

function notFound(address: WebSocketAddress): string {
  return `Not found: MQTT over WebSocket is at ${address.path}\n`;
}

function explainRefusal(request: IncomingMessage, address: WebSocketAddress): Refusal | undefined {
  if (readPath(request) !== address.path) {
    return { status: "404 Not Found", text: notFound(address) };
  }
  // [MQTT-6.0.0-3], 3.1.1: [MQTT-6.0.0-3]
  if (selectSubprotocol(request) === undefined) {
    const text = "The client must offer the WebSocket subprotocol mqtt or mqttv3.1.\n";
    return { status: "400 Bad Request", text };
  }
  return undefined;
}

function readPath(request: IncomingMessage): string {
  return (request.url ?? "").split("?", 1)[0];
}

/** `mqtt` wherever it is offered, as a client that speaks 3.1.1 or 5.0 must get no other. */
function selectSubprotocol(request: IncomingMessage): string | undefined {
  const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",");
  return subprotocols.find((name) => offered.some((one) => one.trim() === name));
}

function refuse(socket: Duplex, { status, text }: Refusal): void {
  socket.on("error", () => socket.destroy());
  socket.once("finish", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}
