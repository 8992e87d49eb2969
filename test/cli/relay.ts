/** A relay between a client and its broker that cuts the connection when a test says so. */
import { once } from "node:events";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const boundMilliseconds = 20_000;

export class Relay {
  readonly port: number;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  #acceptedCount = 0;
  /** Bytes that have come from clients since the start. */
  passedBytes = 0;

  private constructor(server: net.Server, brokerPort: number) {
    this.port = (server.address() as net.AddressInfo).port;
    this.#server = server;
    server.on("connection", (near) => this.#join(near, net.connect(brokerPort, "127.0.0.1")));
  }

  static async start(brokerPort: number): Promise<Relay> {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Relay(server, brokerPort);
  }

  #join(near: net.Socket, far: net.Socket): void {
    this.#acceptedCount += 1;
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined); // both ends are cut, and say so
      socket.on("close", () => {
        this.#sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.on("data", (chunk) => {
      this.passedBytes += chunk.length;
    });
    near.pipe(far).pipe(near);
  }

  /** Resolves when so many connections have been accepted since the start. */
  accepted(count: number): Promise<void> {
    return this.#until(() => this.#acceptedCount >= count);
  }

  /** Resolves when so many bytes have come from clients since the start. */
  passed(bytes: number): Promise<void> {
    return this.#until(() => this.passedBytes >= bytes);
  }

  async #until(reached: () => boolean): Promise<void> {
    const bound = Date.now() + boundMilliseconds;
    while (!reached()) {
      if (Date.now() > bound)
        throw new Error(
          `only ${this.#acceptedCount} connections and ${this.passedBytes} bytes came`,
        );
      await sleep(5);
    }
  }

  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.cut();
    await closed;
  }
}
