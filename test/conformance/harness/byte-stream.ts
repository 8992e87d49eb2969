/** A real connection to the broker, TCP or WebSocket, as bytes in and bytes out. */
import { once } from "node:events";
import { connect } from "node:net";
import { WebSocket } from "ws";

export const transports = ["tcp", "websocket"] as const;
export type TransportName = (typeof transports)[number];

export interface ByteStreamListener {
  received(bytes: Buffer): void;
  closed(why: string): void;
}

export interface ByteStream {
  write(bytes: Uint8Array): void;
  /** Stops and restarts reading, so that the broker's bytes pile up. */
  pause(): void;
  resume(): void;
  /** Closes in good order. */
  end(): void;
  /** Breaks the connection. */
  destroy(): void;
}

/** `url` as the listener tells it: `mqtt://127.0.0.1:40213`, `ws://127.0.0.1:40214/mqtt`. */
export function openByteStream(
  url: string,
  subprotocol: string,
  listener: ByteStreamListener,
): Promise<ByteStream> {
  return url.startsWith("ws:")
    ? openWebSocket(url, subprotocol, listener)
    : openTcp(new URL(url), listener);
}

async function openTcp({ hostname, port }: URL, listener: ByteStreamListener): Promise<ByteStream> {
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  let why = "closed by the broker";
  socket.on("data", (bytes) => listener.received(bytes));
  socket.on("error", (error) => {
    why = error.message;
  });
  socket.on("close", () => listener.closed(why));
  await once(socket, "connect");
  return {
    write: (bytes) => {
      socket.write(bytes);
    },
    pause: () => {
      socket.pause();
    },
    resume: () => {
      socket.resume();
    },
    end: () => {
      socket.end();
    },
    destroy: () => {
      socket.destroy();
    },
  };
}

async function openWebSocket(
  url: string,
  subprotocol: string,
  listener: ByteStreamListener,
): Promise<ByteStream> {
  const socket = new WebSocket(url, subprotocol);
  let why = "";
  socket.on("message", (data, isBinary) => {
    if (isBinary) listener.received(data as Buffer);
    else listener.closed("the broker sent a text frame"); // [MQTT-6.0.0-1]
  });
  socket.on("error", (error) => {
    why = error.message;
  });
  socket.on("close", (code) => listener.closed(`${why} (WebSocket close code ${code})`));
  await once(socket, "open");
  return {
    write: (bytes) => {
      socket.send(bytes);
    },
    pause: () => {
      socket.pause();
    },
    resume: () => {
      socket.resume();
    },
    end: () => {
      socket.close();
    },
    destroy: () => {
      socket.terminate();
    },
  };
}
