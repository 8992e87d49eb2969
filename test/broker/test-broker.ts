/** The heart alone: no sockets, a clock that the test moves, and a log whose errors the test must expect. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { silentLog, systemRandom } from "../../src/base/index.ts";
import { Broker } from "../../src/broker/index.ts";
import type { ConnectPacket } from "../../src/codec/index.ts";
import { MemoryStorage } from "../../src/storage/index.ts";
import { VirtualClock } from "../conformance/harness/index.ts";
import { MemoryClient } from "./memory-client.ts";

interface LoggedError {
  readonly error?: unknown;
}

export class TestBroker {
  readonly clock = new VirtualClock();
  /** What was logged as an error; `expectErrors` empties it. */
  readonly errors: LoggedError[] = [];
  readonly core: Broker;

  constructor(ports: Partial<ConstructorParameters<typeof Broker>[0]> = {}) {
    this.core = new Broker({
      clock: this.clock,
      random: systemRandom,
      log: { ...silentLog, error: (fields) => this.errors.push(fields) },
      authenticator: {
        authenticate: ({ userName }) => ({ allowed: true, userName, rule: "anyone" }),
      },
      authorizer: { generation: 0, authorize: () => ({ allowed: true, rule: "anything" }) },
      storage: new MemoryStorage(),
      sysTopicsSeconds: 0,
      version: "test",
      ...ports,
    });
  }

  /** Until all ticks have ended and all answers have come. */
  async settle(): Promise<void> {
    for (let round = 0; round < 5; round++) await setImmediate();
  }

  async connect(name: string, fields: Partial<ConnectPacket> = {}): Promise<MemoryClient> {
    const client = new MemoryClient(this, fields.protocolVersion);
    client.connect(name, fields);
    await this.settle();
    assert.equal(client.packetTypes[0], 2, `${name} got no CONNACK`);
    return client;
  }

  /** Connected, and what came until then forgotten. */
  async subscriber(name: string, filter: string, qos: 0 | 1 | 2 = 0): Promise<MemoryClient> {
    const client = await this.connect(name);
    client.subscribe(filter, qos);
    await this.settle();
    client.packets.length = 0;
    return client;
  }

  expectErrors(count: number): void {
    assert.equal(this.errors.splice(0).length, count, "errors in the log");
  }

  publish(topic: string, payload: string, qos: 0 | 1 | 2 = 0, retain = false): void {
    const message = { topic, payload: Buffer.from(payload), qos, retain, properties: {} };
    this.core.publish(message);
  }
}
