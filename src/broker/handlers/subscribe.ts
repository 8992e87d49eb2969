/**
 * SUBSCRIBE: each filter is granted or refused on its own; the answer has one code for each, in order
 * [MQTT-3.8.4-5] [MQTT-3.8.4-6], 3.1.1: [MQTT-3.8.4-4] [MQTT-3.8.4-5]. Retained messages follow the SUBACK.
 */
import { ReasonCode } from "../../base/index.ts";
import {
  PacketType,
  type SubackPacket,
  type SubscribePacket,
  type SubscriptionRequest,
} from "../../codec/index.ts";
import { type ParsedFilter, parseTopicFilter } from "../../topics/index.ts";
import type { Connection } from "../connection.ts";
import type { AuthorizationDecision } from "../ports.ts";
import { RetainedWalk } from "../retained-walk.ts";
import type { Session } from "../session.ts";

/** A filter that the standard allows, and what the rights say of it. */
interface Examined {
  readonly request: SubscriptionRequest;
  readonly parsed: ParsedFilter | undefined;
  readonly decision: AuthorizationDecision;
}

export function handleSubscribe(connection: Connection, packet: SubscribePacket): void {
  const examined = packet.subscriptions.map((request) => examine(connection, request));
  if (examined.every((one) => !(one instanceof Promise))) {
    grant(connection, packet, examined as Examined[]);
    return;
  }
  connection.suspendFor(
    Promise.all(examined).then((all) => {
      if (!connection.isClosed) grant(connection, packet, all);
    }),
  );
}

function examine(
  connection: Connection,
  request: SubscriptionRequest,
): Examined | Promise<Examined> {
  const { broker, identity } = connection;
  const parsed = parseTopicFilter(request.filter, connection.limits.topicLevelsMax);
  if (parsed === undefined || identity === undefined) {
    return { request, parsed: undefined, decision: { allowed: false, rule: "no topic filter" } };
  }
  const { qos } = request;
  const decision = broker.authorize({
    client: identity,
    action: "subscribe",
    topic: parsed.filter,
    qos,
    retain: false,
  });
  if (decision instanceof Promise)
    return decision.then((decided) => ({ request, parsed, decision: decided }));
  return { request, parsed, decision };
}

function grant(connection: Connection, packet: SubscribePacket, examined: Examined[]): void {
  const { session, broker } = connection;
  if (session === undefined) return;
  const identifier = packet.properties.subscriptionIdentifiers?.[0] ?? 0;
  const reasonCodes: number[] = [];
  const retained: (() => void)[] = [];
  const granted: Examined[] = [];
  const refused: Examined[] = [];
  for (const { request, parsed, decision } of examined) {
    const refusal = refusalOf(connection, session, { request, parsed, decision });
    if (parsed === undefined || refusal !== undefined) {
      refused.push({ request, parsed, decision });
      reasonCodes.push(connection.isV5 && refusal !== undefined ? refusal : 0x80); // [MQTT-3.9.3-2], 3.1.1: [MQTT-3.9.3-2]
      continue;
    }
    const isNew = !session.subscriptions.has(request.filter);
    const subscription = broker.subscriptions.add(session, request, {
      parsed,
      qos: request.qos,
      identifier,
    });
    granted.push({ request, parsed, decision });
    reasonCodes.push(request.qos); // [MQTT-3.8.4-7] [MQTT-3.9.3-1], 3.1.1: [MQTT-3.9.3-1]
    // Retain handling [MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11], 3.1.1: [MQTT-3.3.1-6] [MQTT-3.8.4-3]; a shared
    // subscription gets none.
    const wantsRetained = request.retainHandling === 0 || (request.retainHandling === 1 && isNew);
    if (wantsRetained && parsed.group === undefined) {
      retained.push(() => session.startRetained(new RetainedWalk(subscription, broker.retained)));
    }
  }
  const suback: SubackPacket = {
    type: PacketType.suback, // [MQTT-3.8.4-1], 3.1.1: [MQTT-3.8.4-1]
    packetIdentifier: packet.packetIdentifier, // [MQTT-3.8.4-2] [MQTT-2.2.1-6], 3.1.1: [MQTT-3.8.4-2] [MQTT-2.3.1-7]
    reasonCodes,
    properties: {},
  };
  connection.answer(suback, session.isStored && granted.length > 0); // a refusal confirms nothing
  logRefused(connection, refused);
  logGranted(connection, granted);
  for (const start of retained) start();
  connection.answers.follow(() => session.pump());
}

/** One line for each SUBSCRIBE, however many filters it has. */
function logGranted(connection: Connection, [first, ...others]: Examined[]): void {
  if (first === undefined) return;
  const { filter, qos } = first.request;
  const { broker, name: client } = connection;
  broker.log.debug({ client, filter, qos, others: others.length }, "subscribed");
}

/** One line for each SUBSCRIBE, however many filters it has. */
function logRefused(connection: Connection, [first, ...others]: Examined[]): void {
  if (first === undefined) return;
  const { request, decision } = first;
  const rule = decision.allowed
    ? "subscriptionsMax or memoryBytesMax is reached, or it cannot be kept"
    : decision.rule;
  connection.broker.log.info(
    { client: connection.name, filter: request.filter, rule, others: others.length },
    "a subscription was refused",
  );
}

function refusalOf(
  connection: Connection,
  session: Session,
  { request, parsed, decision }: Examined,
): number | undefined {
  const { limits } = connection;
  const { limitHits, memory } = connection.broker;
  const { filter } = request;
  const client = connection.name;
  if (parsed === undefined) {
    if (parseTopicFilter(filter, Infinity)) limitHits.count("topicLevelsMax", { client, filter });
    return ReasonCode.topicFilterInvalid; // [MQTT-4.7.3-1]
  }
  if (!decision.allowed) return ReasonCode.notAuthorized;
  if (session.isStored && connection.broker.journal.failure !== undefined)
    return ReasonCode.quotaExceeded;
  if (session.subscriptions.has(filter)) return undefined;
  const isFull = session.subscriptions.size >= limits.subscriptionsMax;
  if (!isFull && !memory.isShort) return undefined;
  limitHits.count(isFull ? "subscriptionsMax" : "memoryBytesMax", { client, filter });
  return ReasonCode.quotaExceeded;
}
