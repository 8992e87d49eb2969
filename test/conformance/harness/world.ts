/**
 * One broker of its own for one test, with real listeners and a clock that the test moves; everything is closed when
 * the test is over.
 */
import type { TestContext } from "node:test";
import type { ConnectPacket, ProtocolVersion } from "../../../src/codec/index.ts";
import { type Broker, type BrokerOptions, createBroker } from "../../../src/index.ts";
import type { TransportName } from "./byte-stream.ts";
import { RawClient } from "./raw-client.ts";
import { VirtualClock } from "./virtual-clock.ts";

export class World {
  readonly broker: Broker;
  readonly clock: VirtualClock;
  /** What this run of the test is about; `open` and `connect` follow it unless told otherwise. */
  readonly version: ProtocolVersion;
  readonly transport: TransportName;
  readonly #urls: Readonly<Record<TransportName, string>>;
  readonly #clients = new Set<RawClient>();

  private constructor(
    parts: Pick<World, "broker" | "clock" | "version" | "transport">,
    urls: Record<TransportName, string>,
  ) {
    this.broker = parts.broker;
    this.clock = parts.clock;
    this.version = parts.version;
    this.transport = parts.transport;
    this.#urls = urls;
  }

  static async start(
    context: TestContext,
    options: BrokerOptions,
    run: { version: ProtocolVersion; transport: TransportName },
  ): Promise<World> {
    const clock = new VirtualClock();
    const broker = createBroker({ clock, sysTopicsSeconds: 0, ...options });
    const tcp = await broker.listen("mqtt://127.0.0.1:0");
    const websocket = await broker.listen("ws://127.0.0.1:0/mqtt");
    const urls = { tcp: tcp.url, websocket: websocket.url };
    const world = new World({ broker, clock, ...run }, urls);
    context.after(() => world.#stop());
    return world;
  }

  /** Where the listener of this run's transport is: `ws://127.0.0.1:40214/mqtt`. */
  get url(): string {
    return this.#urls[this.transport];
  }

  /** A connection on which nothing has been said. */
  async open(version: ProtocolVersion = this.version): Promise<RawClient> {
    const client = await RawClient.open(this.url, version);
    this.#clients.add(client);
    return client;
  }

  /** A connected client: clean start, no keep alive, but for what `fields` say. */
  async connect(fields: Partial<ConnectPacket> = {}): Promise<RawClient> {
    const client = await this.open(fields.protocolVersion);
    const clientIdentifier = `client-${this.#clients.size}`;
    await client.connect({ clientIdentifier, ...fields });
    return client;
  }

  async #stop(): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await this.broker.close({ seconds: 2 });
  }
}
