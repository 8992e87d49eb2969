/**
 * PUBACK, PUBREC, PUBREL and PUBCOMP from a client: the steps of the QoS 1 and 2 flows in both directions.
 * The usual short form is read in place; one with a reason code or properties is decoded.
 */
import { protocolError, ReasonCode, unreachable } from "../../base/index.ts";
import { type AcknowledgementPacket, decodePacketBody, PacketType } from "../../codec/index.ts";
import type { Connection } from "../connection.ts";
import { FlightState } from "../in-flight-window.ts";
import type { Session } from "../session.ts";
import type { Frame } from "./frame.ts";

export function handleAcknowledgement(connection: Connection, frame: Frame): void {
  const { bytes, start, bodyStart, end } = frame;
  const { session } = connection;
  if (session === undefined) return;
  const header = bytes[start];
  const type = header >> 4;
  const flags = type === PacketType.pubrel ? 2 : 0;
  let identifier = (bytes[bodyStart] << 8) | bytes[bodyStart + 1];
  let isFailure = false;
  if (end - bodyStart !== 2 || identifier === 0 || (header & 0x0f) !== flags) {
    const packet = decodePacketBody(
      header,
      bytes,
      bodyStart,
      end,
      connection.protocolVersion,
    ) as AcknowledgementPacket;
    identifier = packet.packetIdentifier;
    isFailure = packet.reasonCode >= 0x80;
  }
  switch (type) {
    case PacketType.puback:
      handlePuback(session, identifier);
      break;
    case PacketType.pubrec:
      handlePubrec(connection, session, identifier, isFailure);
      break;
    case PacketType.pubrel:
      handlePubrel(connection, session, identifier);
      break;
    case PacketType.pubcomp:
      handlePubcomp(session, identifier);
      break;
    default:
      unreachable(type as never);
  }
}

/**
 * Whatever its code, the message is done with [MQTT-4.4.0-2] [MQTT-4.8.2-6]. An unknown identifier is left alone: after a
 * lost connection it may come twice.
 */
function handlePuback(session: Session, identifier: number): void {
  const state = session.flightState(identifier);
  if (state === FlightState.free) return;
  if (state !== FlightState.awaitingPuback) throw protocolError("PUBACK for a QoS 2 message");
  session.finish(identifier);
}

function handlePubrec(
  connection: Connection,
  session: Session,
  identifier: number,
  isFailure: boolean,
): void {
  const state = session.flightState(identifier);
  if (state === FlightState.awaitingPuback) throw protocolError("PUBREC for a QoS 1 message");
  if (state === FlightState.free) {
    if (!isFailure) answer(connection, PacketType.pubrel, identifier, false);
    return;
  }
  if (isFailure) {
    session.finish(identifier); // the exchange ends here [MQTT-4.4.0-2] [MQTT-4.8.2-6]
    return;
  }
  if (state === FlightState.awaitingPubrec) session.flights.released(identifier);
  answer(connection, PacketType.pubrel, identifier, true); // [MQTT-4.3.3-4] [MQTT-4.6.0-4], 3.1.1: [MQTT-4.3.3-1] [MQTT-4.6.0-4]
}

function handlePubrel(connection: Connection, session: Session, identifier: number): void {
  const isKnown = session.receivedIdentifiers?.delete(identifier) === true; // [MQTT-4.3.3-12]
  if (isKnown && session.isStored) {
    const queue = session.stored;
    connection.broker.journal.promise({ kind: "released", queue, packetIdentifier: identifier });
  }
  answer(connection, PacketType.pubcomp, identifier, isKnown); // [MQTT-4.3.3-11], 3.1.1: [MQTT-4.3.3-2]
}

function handlePubcomp(session: Session, identifier: number): void {
  const state = session.flightState(identifier);
  if (state === FlightState.free) return;
  if (state !== FlightState.awaitingPubcomp) throw protocolError("PUBCOMP before PUBREC");
  session.finish(identifier);
}

/** 3.x has no reason codes: an unknown identifier is answered as a known one. */
function answer(
  connection: Connection,
  type: typeof PacketType.pubrel | typeof PacketType.pubcomp,
  packetIdentifier: number,
  isKnown: boolean,
): void {
  // An identifier that is not known may have gone a moment ago, and that be not yet safe.
  const mustWait = connection.session?.isStored === true;
  if (isKnown || !connection.isV5) {
    const firstByte = type === PacketType.pubrel ? 0x62 : 0x70;
    connection.answers.acknowledge(firstByte, packetIdentifier, mustWait);
    return;
  }
  const reasonCode = ReasonCode.packetIdentifierNotFound; // [MQTT-3.6.2-1] [MQTT-3.7.2-1]
  connection.send({ type, packetIdentifier, reasonCode, properties: {} }, mustWait);
}
