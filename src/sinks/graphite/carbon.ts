/**
 * Connections to carbon. Its protocols have no acknowledgement, but it closes a connection only when it has read it to
 * the end: what was sent before is then in its memory. So each delivery is a connection of its own, and another one
 * that stays open and silent tells when carbon has gone.
 */
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { describeNetworkError } from "../network-error.ts";
import { SinkUnavailable } from "../sink.ts";

export interface CarbonAddress {
  readonly host: string;
  readonly port: number;
  /** `Graphite at localhost:2003`. */
  readonly destination: string;
}

const connectSecondsMax = 10;
/** A carbon whose cache is full reads nothing for a while; the same batch comes again after this. */
const readSecondsMax = 30;
/** How soon a machine that has lost its power is noticed: about twice this. */
const keepAliveMilliseconds = 10_000;

export class Carbon {
  readonly #address: CarbonAddress;
  #watch: Socket | undefined;

  constructor(address: CarbonAddress) {
    this.#address = address;
  }

  /** Whether the carbon that had all deliveries since `watch` still runs, as far as is known. */
  get isWatched(): boolean {
    return this.#watch !== undefined;
  }

  /** Opens the silent connection. `gone` is called once when it ends, unless by `close`. @throws SinkUnavailable */
  async watch(gone: () => void): Promise<void> {
    const socket = await this.#connect();
    this.#watch = socket;
    socket.setKeepAlive(true, keepAliveMilliseconds);
    socket.resume();
    socket.on("close", () => {
      if (this.#watch !== socket) return;
      this.#watch = undefined;
      gone();
    });
  }

  /** Resolves when carbon has read all. @throws SinkUnavailable it has read some, all or nothing */
  async deliver(bytes: Buffer): Promise<void> {
    const socket = await this.#connect();
    const { destination } = this.#address;
    const patience = AbortSignal.timeout(readSecondsMax * 1000);
    try {
      socket.resume().end(bytes);
      // An end before ours, or an error, is no closing after it has read all.
      await Promise.all([
        once(socket, "finish", { signal: patience }),
        once(socket, "end", { signal: patience }).then(() => {
          if (!socket.writableFinished) throw new Error("it closed the connection too early");
        }),
      ]);
    } catch (error) {
      const reason = patience.aborted
        ? `it has not read all within ${readSecondsMax} s: is its cache full?`
        : describeNetworkError(error as Error);
      throw unavailable(`${destination} did not take everything: ${reason}`, error);
    } finally {
      socket.destroy();
    }
  }

  /** Ends the silent connection: carbon is taken for gone, and nobody is told. */
  close(): void {
    const socket = this.#watch;
    this.#watch = undefined;
    socket?.destroy();
  }

  async #connect(): Promise<Socket> {
    const { host, port, destination } = this.#address;
    const socket = createConnection({ host, port });
    const patience = AbortSignal.timeout(connectSecondsMax * 1000);
    try {
      await once(socket, "connect", { signal: patience });
    } catch (error) {
      socket.destroy();
      const reason = patience.aborted ? "no answer" : describeNetworkError(error as Error);
      throw unavailable(`${destination} cannot be reached: ${reason}`, error);
    }
    // Whoever waits for something hears of it; otherwise `close` follows, and says enough.
    socket.on("error", () => undefined);
    return socket;
  }
}

function unavailable(message: string, cause: unknown): SinkUnavailable {
  return new SinkUnavailable(message, { cause });
}
