/** A real tserve with users, and attackers who say exactly what they like to it. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { type AdminClient, openSocketAdmin } from "../../src/cli/admin-client/index.ts";
import {
  type ConnackPacket,
  type ConnectPacket,
  type Packet,
  PacketType,
  ProtocolVersion,
  type PublishPacket,
  type WillMessage,
} from "../../src/codec/index.ts";
import { ServeProcess } from "../cli/tserve-process.ts";
import { connectPacket, RawClient } from "../conformance/harness/index.ts";

const { v3_1, v3_1_1, v5 } = ProtocolVersion;

export const versions = [
  ["3.1", v3_1],
  ["3.1.1", v3_1_1],
  ["5.0", v5],
] as const;

/** Every user of `usersYaml` has it. */
export const password = "a good password";

/** Users of a configuration; `rights` as in its file. */
export function usersYaml(users: Readonly<Record<string, string>>): string {
  const lines = Object.entries(users).map(
    ([name, rights]) =>
      `  - { name: ${JSON.stringify(name)}, password: ${JSON.stringify(password)}, rights: ${rights} }`,
  );
  return `users:\n${lines.join("\n")}\n`;
}

/** Nobody is banned, and nobody waits, for guesses that a test makes. */
export const unguarded = `authentication:
  bans: { failuresBeforeDelayMax: 1000, failuresBeforeBanMax: 100000 }
`;

export interface Login extends Partial<ConnectPacket> {
  readonly version?: ProtocolVersion;
  /** Which of the listeners. */
  readonly at?: number;
}

export class AttackedBroker {
  readonly process: ServeProcess;
  readonly #clients = new Set<RawClient>();

  private constructor(process: ServeProcess) {
    this.process = process;
  }

  static async start(
    context: TestContext,
    options: Parameters<typeof ServeProcess.start>[0],
  ): Promise<AttackedBroker> {
    const broker = new AttackedBroker(await ServeProcess.start(options));
    context.after(async () => {
      for (const client of broker.#clients) client.destroy();
      const { stderr } = await broker.process.stop("SIGTERM");
      assert.equal(stderr, "", "tserve had to complain of something unexpected");
    });
    return broker;
  }

  /** With a folder of its own, which goes with the test, and so with an API. */
  static async startStored(
    context: TestContext,
    options: Parameters<typeof ServeProcess.start>[0] = {},
  ): Promise<{ broker: AttackedBroker; admin: AdminClient; data: string }> {
    const data = mkdtempSync(path.join(tmpdir(), "attacked-"));
    const broker = await AttackedBroker.start(context, { ...options, data }).catch((error) => {
      rmSync(data, { recursive: true });
      throw error;
    });
    // After tserve has been stopped.
    context.after(() => rmSync(data, { recursive: true }));
    const admin = await openSocketAdmin(path.join(data, "tstack.sock"));
    assert.ok(admin !== undefined, "no API");
    context.after(() => admin.close());
    return { broker, admin, data };
  }

  /** A connection on which nothing has been said. */
  async open(version: ProtocolVersion = v5, at = 0): Promise<RawClient> {
    const client = await RawClient.open(`mqtt://127.0.0.1:${this.process.ports[at]}`, version);
    this.#clients.add(client);
    return client;
  }

  /** A client that is let in, under `userName` and its right password; undefined: without a name. */
  async login(userName: string | undefined, login: Login = {}): Promise<RawClient> {
    const { client, connack } = await this.tryLogin(userName, login);
    assert.equal(connack.reasonCode, 0, `${userName} is refused: ${connack.reasonCode}`);
    return client;
  }

  /** Whatever the answer is. */
  async tryLogin(
    userName: string | undefined,
    { version = v5, at, ...fields }: Login = {},
  ): Promise<{ client: RawClient; connack: ConnackPacket }> {
    const client = await this.open(version, at);
    const known = userName === undefined ? {} : { userName, password: Buffer.from(password) };
    client.send(connectPacket(version, { ...known, ...fields }));
    const connack = await client.expectPacket(PacketType.connack);
    return { client, connack };
  }
}

/** A session that outlives its connection. */
export function kept(version: ProtocolVersion): Pick<ConnectPacket, "cleanStart" | "properties"> {
  return { cleanStart: false, properties: version === v5 ? { sessionExpiryInterval: 3600 } : {} };
}

export function willOn(topic: string, fields: Partial<WillMessage> = {}): WillMessage {
  return {
    topic,
    payload: Buffer.from("a will"),
    qos: 1,
    retain: false,
    properties: {},
    ...fields,
  };
}

/** The next packets up to the answer to a ping: everything that has come to `client` until now. */
export async function takeAll(client: RawClient): Promise<Packet[]> {
  client.send("c000");
  const packets: Packet[] = [];
  for (;;) {
    const packet = await client.expectAny();
    if (packet.type === PacketType.pingresp) return packets;
    packets.push(packet);
  }
}

/** The same, of messages alone. */
export async function takeMessages(client: RawClient): Promise<PublishPacket[]> {
  const packets = await takeAll(client);
  return packets.filter((packet) => packet.type === PacketType.publish);
}

/** `topic=payload` of each message that has come. */
export async function takeTexts(client: RawClient): Promise<string[]> {
  const messages = await takeMessages(client);
  return messages.map(({ topic, payload }) => `${topic}=${Buffer.from(payload).toString()}`);
}
