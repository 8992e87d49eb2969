/** The heart on a storage that the test holds in its hands, and its restart with what that storage has kept. */
import assert from "node:assert/strict";
import { silentLog } from "../../../src/base/index.ts";
import type { Broker, RestoredSession } from "../../../src/broker/index.ts";
import type { Session } from "../../../src/broker/session.ts";
import {
  type ConnackPacket,
  type ConnectPacket,
  PacketType,
  ProtocolVersion,
  type PublishPacket,
} from "../../../src/codec/index.ts";
import { MemoryClient } from "../memory-client.ts";
import { TestBroker } from "../test-broker.ts";
import { TestStorage } from "./test-storage.ts";

type Ports = Partial<ConstructorParameters<typeof Broker>[0]>;

export const sessionSeconds = 1000;

/** Of a session that is kept, in each version. */
export function kept(version: ProtocolVersion = ProtocolVersion.v5): Partial<ConnectPacket> {
  const properties =
    version === ProtocolVersion.v5 ? { sessionExpiryInterval: sessionSeconds } : {};
  return { protocolVersion: version, cleanStart: false, properties };
}

interface LogLine {
  readonly level: "info" | "warn" | "error";
  readonly fields: object;
  readonly message: string;
}

export class StoredBroker extends TestBroker {
  readonly storage: TestStorage;
  readonly lines: LogLine[];
  readonly #ports: Ports;

  constructor(storage = new TestStorage(), ports: Ports = {}) {
    const lines: LogLine[] = [];
    const tell =
      (level: LogLine["level"]) =>
      (fields: object, message: string): void => {
        lines.push({ level, fields, message });
      };
    const log = { ...silentLog, info: tell("info"), warn: tell("warn"), error: tell("error") };
    super({ storage, log, ...ports });
    this.storage = storage;
    this.lines = lines;
    this.#ports = ports;
  }

  /** The power goes, and comes back after `downSeconds`: only what the storage has said it keeps is there. */
  async restart(downSeconds = 0, ports: Ports = {}): Promise<StoredBroker> {
    const next = new StoredBroker(this.storage.takeOver(), { ...this.#ports, ...ports });
    next.clock.advance(this.clock.now() - next.clock.now() + downSeconds * 1000);
    await next.core.restore();
    await next.settle();
    return next;
  }

  /** As `settle`, and until no batch waits for something that may yet call it off. */
  async rest(): Promise<void> {
    await this.settle();
    this.clock.advance(25);
    await this.settle();
    this.clock.advance(25);
    await this.settle();
  }

  /** A client whose session is kept; it does not wait for CONNACK. */
  open(version: ProtocolVersion = ProtocolVersion.v5): MemoryClient {
    return new MemoryClient(this, version);
  }

  async keeper(name: string, fields: Partial<ConnectPacket> = {}): Promise<MemoryClient> {
    const common = kept(fields.protocolVersion);
    const properties = { ...common.properties, ...fields.properties };
    const client = await this.connect(name, { ...common, ...fields, properties });
    return client;
  }

  /** Connected and subscribed, its session kept; what came until then is forgotten. */
  async keepingSubscriber(
    name: string,
    filter: string,
    { qos = 1, ...fields }: Partial<ConnectPacket> & { qos?: 0 | 1 | 2 } = {},
  ): Promise<MemoryClient> {
    const client = await this.keeper(name, fields);
    client.subscribe(filter, qos);
    await this.rest();
    assert.equal(client.packets.at(-1)?.type, PacketType.suback);
    client.packets.length = 0;
    return client;
  }

  /** A session that is kept and whose client is away. */
  async absentee(name: string, filter: string, qos: 1 | 2 = 1, version?: ProtocolVersion) {
    const fields = version === undefined ? { qos } : { qos, protocolVersion: version };
    const client = await this.keepingSubscriber(name, filter, fields);
    client.lose();
    await this.rest();
  }

  session(name: string): Session {
    for (const session of this.core.sessions.all())
      if (session.clientIdentifier === name) return session;
    assert.fail(`there is no session ${name}`);
  }

  /** The session as the storage has it. */
  stored(name: string): RestoredSession {
    const found = this.storage.kept.sessions.find(
      ({ session }) => session.clientIdentifier === name,
    );
    assert.ok(found !== undefined, `${name} is not stored`);
    return found;
  }

  /** That the session counts what the storage has. */
  expectSameCounts(name: string): void {
    const session = this.session(name);
    const rows = this.storage.waiting(session.stored);
    const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
    const counted = { messages: session.queuedMessages, bytes: session.queuedBytes };
    assert.deepEqual(
      counted,
      { messages: rows.length, bytes },
      `${name}: counted, and in the storage`,
    );
  }

  linesWith(level: LogLine["level"], text: string): LogLine[] {
    return this.lines.filter((line) => line.level === level && line.message.includes(text));
  }
}

export function connack(client: MemoryClient): ConnackPacket {
  const [first] = client.packets;
  assert.equal(first?.type, PacketType.connack, "no CONNACK");
  return first as ConnackPacket;
}

/** PUBACK, PUBREC, PUBREL or PUBCOMP. */
export function say(
  client: MemoryClient,
  type: "puback" | "pubrec" | "pubrel" | "pubcomp",
  packetIdentifier: number,
): void {
  client.send({ type: PacketType[type], packetIdentifier, reasonCode: 0, properties: {} });
}

export function ping(client: MemoryClient): void {
  client.send({ type: PacketType.pingreq });
}

/** The acknowledgements that came, as `puback 1`, in order. */
export function answers({ packets }: MemoryClient): string[] {
  return packets.flatMap((packet) => {
    if (!("packetIdentifier" in packet) || packet.type === PacketType.publish) return [];
    const { type, packetIdentifier } = packet;
    const [name] = Object.entries(PacketType).find(([, value]) => value === type) ?? [];
    return [`${name} ${packetIdentifier}`];
  });
}

/** The reason codes of PUBACKs, PUBRECs, SUBACKs and UNSUBACKs, in order. */
export function codes({ packets }: MemoryClient): number[] {
  return packets.flatMap((packet) => {
    if ("reasonCodes" in packet) return packet.reasonCodes;
    if (packet.type === PacketType.puback || packet.type === PacketType.pubrec)
      return [packet.reasonCode];
    return [];
  });
}

export function describe({ payload, qos, dup, packetIdentifier }: PublishPacket): string {
  const name = Buffer.from(payload).toString();
  return `${name} ${qos}${dup ? " dup" : ""} ${packetIdentifier ?? "-"}`;
}
