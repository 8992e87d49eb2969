/**
 * The end of every CONNECT: a session and a CONNACK that says yes, or a CONNACK that says no. CONNACK is the first
 * packet that a client gets [MQTT-3.2.0-1], 3.1.1: [MQTT-3.2.0-1], but for the AUTH packets of enhanced authentication.
 */
import {
  describeReasonCode,
  ReasonCode,
  TstackError,
  toConnectReturnCode,
} from "../../base/index.ts";
import { type ConnectPacket, PacketType, toConnackFailure } from "../../codec/index.ts";
import { isValidTopicName } from "../../topics/index.ts";
import type { Connection } from "../connection.ts";
import { ConnectionState } from "../connection-state.ts";
import type { CountedLimit } from "../limit-hits.ts";
import type { Admission } from "../ports.ts";
import { type Ended, reviewSession } from "../session-review.ts";
import type { OpenedSession } from "../sessions.ts";
import { OutboundAliases } from "../topic-aliases.ts";
import { wasCutOff } from "../user-sessions.ts";
import { toWill } from "../wills.ts";
import { connackProperties } from "./connack-properties.ts";

/** A client that passed authentication. */
export interface Authenticated extends Admission {
  readonly connect: ConnectPacket;
  readonly clientIdentifier: string;
  readonly userName: string | undefined;
  /** What enhanced authentication gives the client along with CONNACK. */
  readonly authenticationData: Uint8Array | undefined;
}

/** Opens the session and answers: the client belongs. */
export async function accept(connection: Connection, client: Authenticated): Promise<void> {
  const { connect, clientIdentifier, userName, grant, expiresAt } = client;
  const { broker } = connection;
  if (wasCutOff(connection, userName)) {
    refuse(connection, ReasonCode.notAuthorized, "its user was cut off while it logged in");
    return;
  }
  connection.identity = {
    clientIdentifier,
    userName,
    protocolVersion: connect.protocolVersion,
    remoteAddress: connection.transport.remoteAddress,
    listener: connection.transport.listener,
    grant,
  };
  expireAt(connection, expiresAt);
  if (!(await mayLeaveWill(connection, connect)) || connection.isClosed) return;
  if (!broker.sessions.hasRoomFor(clientIdentifier)) {
    refuseAtLimit(connection, ReasonCode.quotaExceeded, "sessionsMax");
    return;
  }
  if (broker.memory.isShort && !broker.sessions.has(clientIdentifier)) {
    refuseAtLimit(connection, ReasonCode.quotaExceeded, "memoryBytesMax");
    return;
  }
  const { failure, isFull } = broker.journal;
  if (failure !== undefined && connect.cleanStart && broker.sessions.isStored(clientIdentifier)) {
    refuse(connection, ReasonCode.serverUnavailable, `its old session cannot be ended: ${failure}`);
    return;
  }
  // Each coming and going of a kept session is something more to be written.
  if (
    failure !== undefined &&
    isFull &&
    broker.sessions.expirySecondsFor(connect, connection.limits) > 0
  ) {
    refuse(connection, ReasonCode.serverUnavailable, `its session cannot be kept: ${failure}`);
    return;
  }
  let opened: OpenedSession | "foreign" | undefined;
  try {
    opened = await broker.sessions.open(connection, {
      clientIdentifier,
      userName,
      isV5: connection.isV5,
      cleanStart: connect.cleanStart,
      expirySeconds: broker.sessions.expirySecondsFor(connect, connection.limits),
    });
  } catch (error) {
    if (!(error instanceof TstackError)) throw error;
    refuse(
      connection,
      ReasonCode.serverUnavailable,
      `its session cannot be read: ${error.message}`,
    );
    return;
  }
  if (opened === "foreign") {
    const why = "the session of this client identifier belongs to another user";
    refuse(connection, ReasonCode.notAuthorized, why);
    return;
  }
  // Another connection with the same identifier may have been faster.
  if (opened === undefined || connection.isClosed) return;
  const reviewed = review(connection, opened);
  const ended = reviewed instanceof Promise ? await reviewed : reviewed;
  if (!connection.isClosed) welcome(connection, client, { ...opened, ended });
}

/** Rights may have changed while the client was away, or this one came with others. */
function review(
  connection: Connection,
  { session, isPresent }: OpenedSession,
): Ended | Promise<Ended> {
  const { broker, identity } = connection;
  if (!isPresent || identity === undefined) return [];
  const isKnown = session.reviewedGeneration === broker.authorizer.generation;
  if (isKnown && identity.grant === undefined) return [];
  return reviewSession(broker, session, identity);
}

/** What it proved itself with is good until then; undefined: for ever. */
export function expireAt(connection: Connection, at: number | undefined): void {
  const { deadlines } = connection.broker;
  if (connection.expiry !== undefined) deadlines.cancel(connection.expiry);
  connection.expiry =
    at === undefined
      ? undefined
      : deadlines.schedule(at, () => {
          const why = "what it proved itself with has expired: connect anew";
          connection.disconnect(ReasonCode.maximumConnectTime, why);
        });
}

/** Everything from here to the end is one step: no message reaches the client before its CONNACK. */
function welcome(
  connection: Connection,
  client: Authenticated,
  { session, isPresent, ended }: OpenedSession & { readonly ended: Ended },
): void {
  const { connect } = client;
  const { broker } = connection;
  const { keepAliveSecondsMax, inFlightMessagesMax, topicAliasMax } = connection.limits;
  connection.session = session;
  connection.keepAliveSeconds = connection.isV5
    ? cutKeepAlive(connect.keepAliveSeconds, keepAliveSecondsMax)
    : connect.keepAliveSeconds;
  if (connection.keepAliveSeconds !== connect.keepAliveSeconds)
    broker.limitHits.count("keepAliveSecondsMax", {});
  const aliases = Math.min(connect.properties.topicAliasMaximum ?? 0, topicAliasMax);
  if (aliases > 0) connection.outboundAliases = new OutboundAliases(aliases); // [MQTT-3.1.2-27]
  const will = connect.will && toWill(connect.will, session.clientIdentifier);
  const told = [...(session.untold ?? []), ...ended];
  const isSent = connection.send({
    type: PacketType.connack,
    // [MQTT-3.2.2-2], [MQTT-3.2.2-3], 3.1.1: [MQTT-3.2.2-1], [MQTT-3.2.2-2], [MQTT-3.2.2-3]
    sessionPresent: isPresent,
    reasonCode: ReasonCode.success, // [MQTT-3.1.4-5], 3.1.1: [MQTT-3.1.4-4]
    properties: connackProperties(connection, client, session, told),
  });
  if (!isSent) {
    // [MQTT-3.1.2-24] and without CONNACK there is nothing to say
    connection.disconnect(ReasonCode.packetTooLarge, "its Maximum Packet Size is below CONNACK's");
    return;
  }
  session.untold = undefined;
  session.will = will; // [MQTT-3.1.2-7], 3.1.1: [MQTT-3.1.2-12]
  if (will !== undefined) broker.sessions.save(session);
  connection.state = ConnectionState.connected;
  connection.startKeepAlive();
  session.attach(
    connection,
    Math.min(connect.properties.receiveMaximum ?? 65_535, inFlightMessagesMax),
  );
  if (connection.isClosed) return; // its transport broke at the first write
  connection.wasAccepted = true;
  broker.connectionAccepted(connection, isPresent);
}

/** No keep alive counts as the longest; a maximum of 0 or 65,535 leaves all to the client [MQTT-3.2.2-22]. */
function cutKeepAlive(asked: number, keepAliveSecondsMax: number): number {
  if (keepAliveSecondsMax === 0 || keepAliveSecondsMax >= 65_535) return asked;
  return asked === 0 ? keepAliveSecondsMax : Math.min(asked, keepAliveSecondsMax);
}

/** The right to publish the will is asked for while its owner can still be told. */
async function mayLeaveWill(connection: Connection, { will }: ConnectPacket): Promise<boolean> {
  const { broker, identity } = connection;
  if (will === undefined || identity === undefined) return true;
  const { topic, qos, retain } = will;
  if (!isValidTopicName(topic, connection.limits.topicLevelsMax)) {
    if (isValidTopicName(topic, Infinity)) broker.limitHits.count("topicLevelsMax", { topic });
    refuse(connection, ReasonCode.topicNameInvalid, "the will has an invalid topic name");
    return false;
  }
  const decision = await broker.authorize({ client: identity, action: "will", topic, qos, retain });
  if (decision.allowed) return true;
  refuse(
    connection,
    ReasonCode.notAuthorized,
    `not authorized to leave a will on ${topic.slice(0, 200)}`,
    decision.rule,
  );
  return false;
}

/** CONNACK with a failure, and the end [MQTT-3.2.2-7], 3.1.1: [MQTT-3.2.2-5]. `rule` is for the log alone. */
export function refuse(
  connection: Connection,
  reasonCode: ReasonCode,
  why: string,
  rule?: string,
): void {
  if (connection.isClosed) return;
  const { broker } = connection;
  broker.log.info(
    {
      from: connection.transport.remoteAddress,
      client: connection.identity?.clientIdentifier,
      rule,
    },
    `a client was refused: ${describeReasonCode(reasonCode)}, ${why}`,
  );
  answerNo(connection, reasonCode, why);
}

/** The same where a limit is hit: counted, and told once, as there may be many. */
export function refuseAtLimit(
  connection: Connection,
  reasonCode: ReasonCode,
  limit: CountedLimit,
): void {
  const { remoteAddress } = connection.transport;
  connection.broker.limitHits.count(limit, { from: remoteAddress });
  answerNo(connection, reasonCode, `${limit} is reached`);
}

function answerNo(connection: Connection, reasonCode: ReasonCode, why: string): void {
  connection.wasRefused = true;
  const failure = toConnackFailure(reasonCode); // authenticators may say what they like
  connection.send({
    type: PacketType.connack,
    sessionPresent: false, // [MQTT-3.2.2-6], 3.1.1: [MQTT-3.2.2-4]
    reasonCode: connection.isV5 ? failure : toConnectReturnCode(failure),
    properties: connection.isV5 ? { reasonString: why } : {},
  });
  connection.end({ by: "broker", reasonCode, why }); // [MQTT-3.1.4-6], 3.1.1: [MQTT-3.1.4-5]
}
