/** The heart with small limits: what its clients get, what `$SYS` counts and what the log says when one is hit. */
import assert from "node:assert/strict";
import { type Limits, silentLog } from "../../src/base/index.ts";
import type { Broker } from "../../src/broker/index.ts";
import { figureOfLimit } from "../../src/broker/limit-hits.ts";
import {
  type ConnackPacket,
  type ConnectPacket,
  type Packet,
  PacketType,
  ProtocolVersion,
} from "../../src/codec/index.ts";
import { MemoryClient } from "../broker/memory-client.ts";
import { TestBroker } from "../broker/test-broker.ts";

interface Warning {
  readonly limit?: string;
  readonly client?: string;
  readonly reason?: string;
}

export class LimitedBroker extends TestBroker {
  readonly warnings: Warning[];
  /** What was logged as info: the ends of connections and sessions. */
  readonly notes: { readonly client?: string; readonly dropped?: Record<string, number> }[];

  /** Whether the log may have errors. */
  readonly failures: { expected: boolean };

  constructor(
    limits: Partial<Limits>,
    ports: Partial<ConstructorParameters<typeof Broker>[0]> = {},
  ) {
    const warnings: Warning[] = [];
    const notes: LimitedBroker["notes"] = [];
    const failures = { expected: false };
    const log = {
      ...silentLog,
      info: (fields: object) => notes.push(fields),
      warn: (fields: object) => warnings.push(fields),
      error: (fields: object, message: string) =>
        assert.ok(failures.expected, `${message} ${JSON.stringify(fields)}`),
    };
    super({ limits, log, sysTopicsSeconds: 1, ...ports });
    this.warnings = warnings;
    this.notes = notes;
    this.failures = failures;
  }

  open(remoteAddress = "memory", version: ProtocolVersion = ProtocolVersion.v5): MemoryClient {
    return new MemoryClient(this, version, remoteAddress);
  }

  /** The reason code of the CONNACK that a new client gets. */
  async connectCode(
    name: string,
    { remoteAddress, ...fields }: Partial<ConnectPacket> & { remoteAddress?: string } = {},
  ): Promise<number> {
    const client = this.open(remoteAddress, fields.protocolVersion);
    client.connect(name, fields);
    await this.settle();
    return connackOf(client).reasonCode;
  }

  /** The current value of `$SYS/broker/...`. */
  async figure(name: string): Promise<string> {
    this.clock.advanceSeconds(1);
    await this.settle();
    const message = this.core.retained.get(`$SYS/broker/${name}`);
    assert.ok(message !== undefined, `$SYS/broker/${name}`);
    return message.bytes.toString("utf8", message.payloadStart, message.payloadEnd);
  }

  /** That `limit` was hit so often, and that the log tells it once. */
  async expectHits(limit: keyof Limits, count: number): Promise<void> {
    assert.equal(await this.figure(figureOfLimit(limit)), `${count}`, limit);
    const told = this.warnings.filter((warning) => warning.limit === limit).length;
    assert.equal(told, 1, `${limit} in the log`);
  }

  /** That so many messages were dropped for one client, and that the log warns of it once. */
  async expectDropped(reason: string, count: number, client?: string): Promise<void> {
    assert.equal(await this.figure(`publish/messages/dropped/${reason}`), `${count}`, reason);
    if (client === undefined) return;
    const told = this.warnings.filter((warning) => warning.reason === reason);
    assert.deepEqual(
      told.map((warning) => warning.client),
      [client],
    );
  }
}

export function connackOf({ packets }: MemoryClient): ConnackPacket {
  const [connack] = packets;
  assert.equal(connack?.type, PacketType.connack);
  return connack as ConnackPacket;
}

/** The reason code of the DISCONNECT that ended it. */
export function endOf(client: MemoryClient): number | undefined {
  const last: Packet | undefined = client.packets.at(-1);
  return client.isEnded && last?.type === PacketType.disconnect ? last.reasonCode : undefined;
}
