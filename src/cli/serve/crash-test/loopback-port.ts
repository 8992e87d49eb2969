/** Ports of 127.0.0.1, for brokers that cannot choose one themselves. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";

/** One that nobody listens on now. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

export function canConnect(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  }).then((connected) => {
    socket.destroy();
    return connected === true;
  });
}
