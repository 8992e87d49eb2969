/** Packets in few words, and what a client expects in return. Every value that is not named is the plainest one. */
import assert from "node:assert/strict";
import {
  type AcknowledgementPacket,
  type ConnectPacket,
  PacketType,
  type Properties,
  ProtocolVersion,
  type PublishPacket,
  type QoS,
  type SubscribePacket,
  type SubscriptionRequest,
  type UnsubscribePacket,
} from "../../src/codec/index.ts";
import type { Authenticator, ReasonCode } from "../../src/index.ts";
import type { RawClient, World } from "./harness/index.ts";

export function publish(
  topic: string,
  payload: string | Uint8Array = "",
  fields: Partial<Omit<PublishPacket, "topic" | "payload">> = {},
): PublishPacket {
  return {
    type: PacketType.publish,
    topic,
    payload: Buffer.from(payload),
    qos: 0,
    retain: false,
    dup: false,
    ...(fields.qos ? { packetIdentifier: 1 } : {}),
    properties: {},
    ...fields,
  };
}

/** A filter, or a filter with options. */
export type Wanted = string | (Partial<SubscriptionRequest> & { filter: string });

export function subscribe(
  wanted: Wanted | readonly Wanted[],
  properties: Properties = {},
  packetIdentifier = 1,
): SubscribePacket {
  const list = Array.isArray(wanted) ? (wanted as readonly Wanted[]) : [wanted as Wanted];
  return {
    type: PacketType.subscribe,
    packetIdentifier,
    subscriptions: list.map((one) => ({
      qos: 0,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
      ...(typeof one === "string" ? { filter: one } : one),
    })),
    properties,
  };
}

export function unsubscribe(...filters: string[]): UnsubscribePacket {
  return { type: PacketType.unsubscribe, packetIdentifier: 1, filters, properties: {} };
}

export function acknowledgement(
  type: AcknowledgementPacket["type"],
  packetIdentifier: number,
  reasonCode: ReasonCode = 0,
): AcknowledgementPacket {
  return { type, packetIdentifier, reasonCode, properties: {} };
}

export function puback(packetIdentifier = 1, reasonCode: ReasonCode = 0): AcknowledgementPacket {
  return acknowledgement(PacketType.puback, packetIdentifier, reasonCode);
}
export function pubrec(packetIdentifier = 1, reasonCode: ReasonCode = 0): AcknowledgementPacket {
  return acknowledgement(PacketType.pubrec, packetIdentifier, reasonCode);
}
export function pubrel(packetIdentifier = 1, reasonCode: ReasonCode = 0): AcknowledgementPacket {
  return acknowledgement(PacketType.pubrel, packetIdentifier, reasonCode);
}
export function pubcomp(packetIdentifier = 1, reasonCode: ReasonCode = 0): AcknowledgementPacket {
  return acknowledgement(PacketType.pubcomp, packetIdentifier, reasonCode);
}

/** Subscribes, and answers the codes of SUBACK. */
export async function subscribed(
  client: RawClient,
  wanted: Wanted | readonly Wanted[],
  properties: Properties = {},
): Promise<number[]> {
  client.send(subscribe(wanted, properties));
  const { reasonCodes } = await client.expectPacket(PacketType.suback);
  return reasonCodes;
}

/** Leaves a session with this subscription behind: its client has disconnected. */
export async function leaveSubscribed(
  world: World,
  fields: Partial<ConnectPacket>,
  wanted: Wanted,
): Promise<void> {
  const client = await world.connect(fields);
  await subscribed(client, wanted);
  client.end();
  await client.expectClosed();
}

/** What a test wants to say of a message: the rest of the packet may be anything. */
export type Expected = Partial<Omit<PublishPacket, "payload" | "type">> & { payload?: string };

/** The next packet is this PUBLISH. */
export async function expectPublish(client: RawClient, expected: Expected): Promise<PublishPacket> {
  const packet = await client.expectPacket(PacketType.publish);
  const comparable = { ...packet, payload: Buffer.from(packet.payload).toString() };
  const named = Object.keys(expected) as (keyof Expected)[];
  const actual = Object.fromEntries(named.map((name) => [name, comparable[name]]));
  assert.deepEqual(actual, expected);
  return packet;
}

/** The next packet acknowledges this identifier with this code (0 in 3.x). */
export async function expectAcknowledgement(
  client: RawClient,
  type: AcknowledgementPacket["type"],
  { packetIdentifier = 1, reasonCode = 0 }: { packetIdentifier?: number; reasonCode?: number } = {},
): Promise<AcknowledgementPacket> {
  const packet = await client.expectPacket(type);
  assert.deepEqual(
    { packetIdentifier: packet.packetIdentifier, reasonCode: packet.reasonCode },
    { packetIdentifier, reasonCode },
  );
  return packet;
}

/** Everything that `publisher` sent has been handled, and has brought `subscriber` nothing more than it has taken. */
export async function expectNothingMore(
  publisher: RawClient,
  ...subscribers: RawClient[]
): Promise<void> {
  await publisher.ping();
  for (const subscriber of subscribers) await subscriber.ping();
}

/** CONNECT fields of a client whose session outlives its connections. */
export function persistent(
  version: ProtocolVersion,
  clientIdentifier: string,
  properties: Properties = {},
): Partial<ConnectPacket> {
  return {
    protocolVersion: version,
    clientIdentifier,
    cleanStart: false,
    properties:
      version === ProtocolVersion.v5 ? { sessionExpiryInterval: 3600, ...properties } : {},
  };
}

/** Closes in good order and waits until the broker has seen it. */
export async function disconnect(client: RawClient): Promise<void> {
  client.send("e000");
  await client.expectClosed();
}

export const everyQos: readonly QoS[] = [0, 1, 2];

/** Refuses the user "stranger" with 0x86, and lets everybody else in. */
export const strangerRefused: Authenticator = {
  authenticate: ({ userName }) =>
    userName === "stranger"
      ? { allowed: false, reasonCode: 0x86, rule: "test" }
      : { allowed: true, userName, rule: "test" },
};
