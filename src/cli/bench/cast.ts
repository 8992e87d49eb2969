/** The clients of a run: who connects as whom, subscribes to what, and publishes where. */
import { type ConnectPacket, PacketType, type SubscribePacket } from "../../codec/index.ts";
import { parseTopicFilter } from "../../topics/index.ts";
import { UsageError } from "../client/index.ts";
import { countDeliveries } from "./audience-size.ts";
import { Client, type ClientSetting } from "./client.ts";
import { toPacketProperties } from "./packet-properties.ts";
import { type MarkOrigin, MarkReader, newPayload } from "./payload-mark.ts";
import { expandIdentifier, expandTopic, type Plan } from "./plan.ts";
import { Publisher, type RunContext } from "./publisher.ts";
import { RunChecks } from "./sequence-check.ts";
import { Subscriber } from "./subscriber.ts";

export interface Cast {
  readonly publishers: readonly Publisher[];
  readonly subscribers: readonly Subscriber[];
  /** All, in the order in which they connect: who receives before who sends. */
  readonly clients: readonly Client[];
  /** For each publisher, how many deliveries one of its messages makes; 0 where nobody here subscribes. */
  readonly deliveries: readonly number[];
}

/** Its number in its role, and its identifier. */
interface Role {
  readonly number: number;
  readonly identifier: string;
}

export function castClients(plan: Plan, origin: MarkOrigin, context: RunContext): Cast {
  const { publisherCount, subscriberCount, idleCount, topic, filters } = plan;
  const hasBoth = publisherCount > 0 && subscriberCount > 0;
  const roles = (count: number, letter: string): Role[] =>
    Array.from({ length: count }, (_, number) => ({
      number,
      identifier: expandIdentifier(plan.connection.clientId, `${hasBoth ? letter : ""}${number}`),
    }));
  const nextAddress = takeTurns(plan.localAddresses);

  const publishers: Publisher[] = [];
  const audience = { ...context, marks: new MarkReader(), origin, publishers };
  const subscriberFilters: string[] = [];
  const checksOf = groupChecks();
  const subscribers = roles(subscriberCount, "s").map((role) => {
    const own = filters.map((filter) => expandTopic(filter, role.number, role.identifier));
    subscriberFilters.push(own[0]);
    const subscribe = newSubscribe(plan, own);
    const setting = { ...newSetting(plan, role, nextAddress()), subscribe };
    return new Subscriber(setting, audience, checksOf(own[0]));
  });
  const topics: string[] = [];
  for (const role of roles(publisherCount, "p")) {
    const { number, identifier } = role;
    topics.push(expandTopic(topic, number, identifier));
    const payload = newPayload(plan.payloadBytes, origin, number);
    const properties = toPacketProperties(plan.connection.properties.publish);
    const message = {
      topic: topics[number],
      payload,
      qos: plan.qos,
      retain: plan.retain,
      properties,
    };
    publishers.push(new Publisher(number, newSetting(plan, role, nextAddress()), message, context));
  }
  const deliveries = countDeliveries(topics, subscriberFilters);
  const unheard = deliveries.indexOf(0);
  if (hasBoth && unheard !== -1) {
    throw new UsageError(
      `nobody subscribes to "${topics[unheard]}": give another --filter, or as many --subscribers as --publishers`,
    );
  }
  const owner = { message() {}, acknowledged() {}, lost: context.onLost };
  const idle = roles(idleCount, "").map(
    (role) => new Client(newSetting(plan, role, nextAddress()), context.wire, owner),
  );
  return {
    publishers,
    subscribers,
    clients: [...subscribers, ...publishers].map(({ client }) => client).concat(idle),
    deliveries,
  };
}

/** The checks of who subscribes to a filter: one for all of a group, for together they get each message once. */
function groupChecks(): (filter: string) => RunChecks {
  const groups = new Map<string, RunChecks>();
  return (filter) => {
    const group = parseTopicFilter(filter, Number.POSITIVE_INFINITY)?.group;
    const checks = groups.get(group ?? "") ?? new RunChecks();
    if (group !== undefined) groups.set(group, checks);
    return checks;
  };
}

function takeTurns(addresses: readonly string[]): () => string | undefined {
  let turn = 0;
  return () => addresses[turn++ % addresses.length];
}

function newSetting(plan: Plan, role: Role, localAddress: string | undefined): ClientSetting {
  const { endpoint, protocolVersion, username, password, will, ...connection } = plan.connection;
  const { properties, clean, keepAliveSeconds } = connection;
  const { number, identifier } = role;
  const connect: ConnectPacket = {
    type: PacketType.connect,
    protocolVersion,
    cleanStart: clean,
    keepAliveSeconds,
    clientIdentifier: identifier,
    userName: username === undefined ? undefined : expandTopic(username, number, identifier),
    password: password === undefined ? undefined : Buffer.from(password),
    properties: toPacketProperties(properties.connect),
  };
  if (will !== undefined) {
    connect.will = {
      ...will,
      topic: expandTopic(will.topic, number, identifier),
      properties: toPacketProperties(properties.will),
    };
  }
  return { endpoint: { ...endpoint, localAddress }, connect };
}

function newSubscribe(plan: Plan, filters: readonly string[]): SubscribePacket {
  const options = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  return {
    type: PacketType.subscribe,
    packetIdentifier: 1,
    subscriptions: filters.map((filter) => ({
      filter,
      qos: plan.qos,
      ...options,
    })),
    properties: toPacketProperties(plan.connection.properties.subscribe),
  };
}
