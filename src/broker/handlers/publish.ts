/**
 * PUBLISH from a client: topic and rights, the retained store, delivery, and the acknowledgement its QoS asks for.
 * The acknowledgement leaves after the message has been taken over, and in the order of the PUBLISH packets
 * [MQTT-4.6.0-2] [MQTT-4.6.0-3], 3.1.1: [MQTT-4.6.0-2] [MQTT-4.6.0-3].
 */
import { ReasonCode, TstackError } from "../../base/index.ts";
import { type QoS, scanPublish } from "../../codec/index.ts";
import type { Connection } from "../connection.ts";
import type { Message } from "../message.ts";
import { acknowledgePublish } from "../publish-acknowledgement.ts";
import { kindOf, type PublishedTopic } from "../published-topics.ts";
import { hasPaddedLength } from "../publisher.ts";
import { type Route, reachesStored } from "../routes.ts";
import type { Frame } from "./frame.ts";

export function handlePublish(connection: Connection, frame: Frame): void {
  const { publisher, broker } = connection;
  const { message, header } = publisher;
  scanPublish(frame, connection.isV5, message, header);
  broker.counters.publishReceived++;
  broker.counters.publishBytesReceived += frame.end - frame.start;
  const published = publisher.findTopic(); // of a duplicate too: it may set an alias
  if (header.qos === 2 && isKnown(connection, header.packetIdentifier)) {
    const { qos, packetIdentifier } = header;
    const mustWait = connection.session?.isStored === true; // it may have come a moment ago
    // [MQTT-4.3.3-10], 3.1.1: [MQTT-4.3.3-2]
    acknowledgePublish(connection, { qos, packetIdentifier, mustWait }, ReasonCode.success);
    return;
  }
  message.reset(published.topic, publisher.clientIdentifier);
  message.qos = header.qos;
  message.retain = header.retain;
  describeFrame(connection, published, frame);
  const pending = publisher.authorize(published);
  if (pending === undefined) {
    publish(connection, published, message, header.packetIdentifier);
    return;
  }
  const kept = message.keep();
  const { packetIdentifier } = header;
  connection.suspendFor(
    pending.then(() => {
      if (!connection.isClosed) publishLate(connection, published, kept, packetIdentifier);
    }),
  );
}

function isKnown(connection: Connection, packetIdentifier: number): boolean {
  return connection.session?.receivedIdentifiers?.has(packetIdentifier) === true;
}

/** Notes whether the frame may go on as it stands, and when it expires; takes an alias out of it. */
function describeFrame(connection: Connection, published: PublishedTopic, frame: Frame): void {
  const { message, header } = connection.publisher;
  const { properties, dup } = header;
  if (connection.isV5 && message.propertiesStart < message.propertiesEnd) {
    if (properties.messageExpiryInterval >= 0) {
      message.expiresAt = connection.broker.clock.now() + properties.messageExpiryInterval * 1000;
    }
    if (properties.topicAlias > 0) {
      message.replaceAlias(published.bytes, properties.topicAliasOffset); // an alias is good for one connection only
      return;
    }
  }
  if (dup) return; // [MQTT-3.3.1-3] the publisher's DUP goes no further, 3.1.1: [MQTT-3.3.1-3]
  if (hasPaddedLength(frame.bytes, frame.start, frame.bodyStart)) return; // a 5.0 client must not get that
  message.frameStart = frame.start;
  message.frameEnd = frame.end;
  message.frameIsV5 = connection.isV5;
}

/** The message has waited for the right to publish it, and its interval has gone on meanwhile. */
function publishLate(
  connection: Connection,
  published: PublishedTopic,
  message: Message,
  packetIdentifier: number,
): void {
  const { broker } = connection;
  const now = broker.clock.now();
  message.countDown(now); // [MQTT-3.3.2-6]
  if (!mayPublish(published, message) || !message.hasExpired(now)) {
    publish(connection, published, message, packetIdentifier);
    return;
  }
  // [MQTT-3.3.2-5] it reaches nobody; [MQTT-4.3.3-13] it is acknowledged all the same
  const { qos } = message;
  if (qos === 2) {
    checkReceiveMaximum(connection);
    remember(connection, packetIdentifier);
  }
  if (message.retain) broker.retained.delete(message.topic);
  connection.session?.drops.countPublished("expired");
  acknowledgePublish(connection, { qos, packetIdentifier, mustWait: true }, ReasonCode.success);
}

function publish(
  connection: Connection,
  published: PublishedTopic,
  message: Message,
  packetIdentifier: number,
): void {
  const { broker } = connection;
  const { qos } = message;
  if (!mayPublish(published, message)) {
    refuse(connection, published, message, packetIdentifier);
    return;
  }
  const route = connection.publisher.routeOf(published);
  if (qos > 0 && broker.journal.failure !== undefined && connection.isV5) {
    if (mustBeKept(connection, route, message)) {
      refuseUnkept(connection, broker.journal.failure, { qos, packetIdentifier });
      return;
    }
  }
  const { promised } = broker.journal;
  if (qos === 2) checkReceiveMaximum(connection);
  // Without RETAIN nothing is touched [MQTT-3.3.1-8], 3.1.1: [MQTT-3.3.1-12]
  if (message.retain && !broker.retained.store(message)) {
    connection.session?.drops.countPublished("retainedFull");
    if (!published.isFullLogged) logFull(connection, published);
    if (qos > 0 && connection.isV5) {
      const acknowledged = { qos, packetIdentifier, mustWait: false };
      acknowledgePublish(connection, acknowledged, ReasonCode.quotaExceeded);
      return;
    }
    // Who cannot be told gets as much as there is: those who are subscribed now have the message, and nobody is
    // given an older one in its place. 3.1.1: [MQTT-3.3.1-7]
    broker.retained.delete(message.topic);
  }
  // Of QoS 1 nothing is remembered: the identifier may come again at once [MQTT-4.3.2-5], 3.1.1: [MQTT-4.3.2-2]
  if (qos === 2) remember(connection, packetIdentifier);
  broker.delivery.deliver(route, message); // [MQTT-4.5.0-1], 3.1.1: [MQTT-4.5.0-1]
  const reasonCode = route.hasSubscribers ? ReasonCode.success : ReasonCode.noMatchingSubscribers;
  // Inside of another delivery this message has yet to be delivered, and what must be kept of it is not yet known.
  const mustWait = broker.journal.promised !== promised || broker.delivery.isBusy;
  // [MQTT-3.3.4-1] [MQTT-4.3.2-4] [MQTT-4.3.3-8], 3.1.1: [MQTT-3.3.4-1] [MQTT-4.3.2-2] [MQTT-4.3.3-2]
  acknowledgePublish(connection, { qos, packetIdentifier, mustWait }, reasonCode);
}

function mayPublish(published: PublishedTopic, { qos, retain }: Message): boolean {
  return (published.allowed & kindOf(qos, retain)) !== 0;
}

/** Whether something of the message has to be on disk before it may be acknowledged. */
function mustBeKept({ session }: Connection, route: Route, { qos, retain }: Message): boolean {
  return retain || (qos === 2 && session?.isStored === true) || reachesStored(route);
}

function refuseUnkept(
  connection: Connection,
  failure: string,
  message: { qos: QoS; packetIdentifier: number },
): void {
  connection.session?.drops.countPublished("storageFailed");
  const reason = `it cannot be kept: ${failure}`;
  const acknowledged = { ...message, mustWait: false };
  acknowledgePublish(connection, acknowledged, ReasonCode.quotaExceeded, reason);
}

/** Once for each topic of a connection. */
function logFull(connection: Connection, published: PublishedTopic): void {
  published.isFullLogged = true;
  connection.broker.log.warn(
    { client: connection.name, topic: published.topic },
    "a retained message was not kept: retainedMessagesMax, retainedBytesMax or memoryBytesMax is reached",
  );
}

/** 3.1.1: [MQTT-3.3.5-2] 3.x cannot say no: the message is acknowledged and goes nowhere, or the connection ends. */
function refuse(
  connection: Connection,
  published: PublishedTopic,
  message: Message,
  packetIdentifier: number,
): void {
  connection.session?.drops.countPublished("notAuthorized");
  const reason = `not authorized to publish to ${published.topic.slice(0, 200)}`;
  if (!connection.isV5 && connection.profile.refusedPublish === "disconnect") {
    connection.disconnect(ReasonCode.notAuthorized, reason);
    return;
  }
  const { qos } = message;
  // [MQTT-4.3.3-9] a 5.0 client may use the identifier for another message
  if (qos === 2 && !connection.isV5) remember(connection, packetIdentifier);
  const mustWait = qos === 2 && connection.session?.isStored === true;
  const acknowledged = { qos, packetIdentifier, mustWait };
  acknowledgePublish(connection, acknowledged, ReasonCode.notAuthorized, reason);
}

function remember(connection: Connection, packetIdentifier: number): void {
  const { session } = connection;
  if (session === undefined) return;
  session.receivedIdentifiers ??= new Set();
  session.receivedIdentifiers.add(packetIdentifier);
  if (!session.isStored) return;
  const queue = session.stored;
  connection.broker.journal.promise({ kind: "received", queue, packetIdentifier });
}

/** Throws MQTT_RECEIVE_MAXIMUM_EXCEEDED when a 5.0 client has more under way than it was told [MQTT-3.3.4-7]. */
function checkReceiveMaximum(connection: Connection): void {
  const { receiveMaximum } = connection.limits;
  const underWay = connection.session?.receivedIdentifiers?.size ?? 0;
  if (!connection.isV5 || underWay < receiveMaximum) return;
  throw new TstackError(
    "MQTT_RECEIVE_MAXIMUM_EXCEEDED",
    `more than ${receiveMaximum} QoS 2 messages under way (receiveMaximum)`,
    { limit: "receiveMaximum" },
  );
}
