/** A broker whose listeners have mount points, and an authorizer that notes every topic that it is asked about. */
import type { ListenerSettings } from "../../src/broker/index.ts";
import { type ConnectPacket, ProtocolVersion, type PublishPacket } from "../../src/codec/index.ts";
import { MemoryClient } from "./memory-client.ts";
import { TestBroker } from "./test-broker.ts";

export class MountedBroker extends TestBroker {
  /** What the authorizer was asked about: topics as outside. */
  readonly asked: string[];

  constructor(ports: ConstructorParameters<typeof TestBroker>[0] = {}) {
    const asked: string[] = [];
    super({
      authorizer: {
        generation: 0,
        authorize: ({ topic }) => {
          asked.push(topic);
          return { allowed: !topic.includes("forbidden"), rule: "anything else" };
        },
      },
      ...ports,
    });
    this.asked = asked;
  }

  /** A client at a listener with `mountPoint`, which has yet to connect. */
  arrive(
    mountPoint: string,
    version: ProtocolVersion = ProtocolVersion.v5,
    settings: ListenerSettings = {},
  ): MemoryClient {
    const core = this.core.acceptorFor({ ...settings, mountPoint });
    return new MemoryClient({ core }, version);
  }

  /** Connected, and its CONNACK forgotten. */
  async comeIn(
    mountPoint: string,
    name: string,
    fields: Partial<ConnectPacket> = {},
  ): Promise<MemoryClient> {
    const client = this.arrive(mountPoint, fields.protocolVersion);
    client.connect(name, fields);
    await this.settle();
    client.packets.length = 0;
    return client;
  }
}

/** `topic=payload` of each message, in order; forgets them. */
export function takeMessages(client: MemoryClient): string[] {
  const texts = client.publishes.map(textOf);
  client.packets.length = 0;
  return texts;
}

function textOf({ topic, payload }: PublishPacket): string {
  return `${topic}=${Buffer.from(payload).toString()}`;
}

export const bothVersions = [
  ["5.0", ProtocolVersion.v5],
  ["3.1.1", ProtocolVersion.v3_1_1],
] as const;
