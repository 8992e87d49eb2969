/** From the packet's type to its handler: one flat switch before CONNACK, one after it. */
import { malformed, protocolError } from "../../base/index.ts";
import {
  type ConnectPacket,
  decodePacketBody,
  type Packet,
  PacketType,
  ProtocolVersion,
} from "../../codec/index.ts";
import type { Connection } from "../connection.ts";
import { ConnectionState } from "../connection-state.ts";
import { hasPaddedLength } from "../publisher.ts";
import { handleAcknowledgement } from "./acknowledgement.ts";
import { handleAuth } from "./auth.ts";
import { handleConnect, refuseBrokenConnect } from "./connect.ts";
import { handleDisconnect } from "./disconnect.ts";
import type { Frame } from "./frame.ts";
import { handlePublish } from "./publish.ts";
import { handleSubscribe } from "./subscribe.ts";
import { handleUnsubscribe } from "./unsubscribe.ts";

const pingresp = Buffer.from([PacketType.pingresp << 4, 0]);

/** PUBLISH and its acknowledgements are read where they lie, the others decoded. */
export function dispatch(connection: Connection, frame: Frame): void {
  switch (frame.bytes[frame.start] >> 4) {
    case PacketType.publish:
      handlePublish(connection, frame);
      break;
    case PacketType.puback:
    case PacketType.pubrec:
    case PacketType.pubrel:
    case PacketType.pubcomp:
      handleAcknowledgement(connection, frame);
      break;
    case PacketType.connect:
      // Not even read: what is wrong inside has codes that no DISCONNECT may carry.
      throw protocolError("a second CONNECT"); // [MQTT-3.1.0-2] [MQTT-3.2.0-2], 3.1.1: [MQTT-3.1.0-2]
    default:
      dispatchPacket(connection, decode(connection, frame));
  }
}

function dispatchPacket(connection: Connection, packet: Packet): void {
  switch (packet.type) {
    case PacketType.subscribe:
      handleSubscribe(connection, packet);
      break;
    case PacketType.unsubscribe:
      handleUnsubscribe(connection, packet);
      break;
    case PacketType.pingreq:
      connection.broker.counters.packetsSent++;
      connection.outbox.append(pingresp, 0, pingresp.length); // [MQTT-3.12.4-1], 3.1.1: [MQTT-3.12.4-1]
      break;
    case PacketType.disconnect:
      handleDisconnect(connection, packet);
      break;
    case PacketType.auth:
      handleAuth(connection, packet);
      break;
    default:
      throw protocolError(`packet type ${packet.type} is the server's to send`);
  }
}

/** Before CONNACK: first CONNECT, then only what enhanced authentication needs. */
export function dispatchBeforeConnected(connection: Connection, frame: Frame): void {
  if (connection.state === ConnectionState.awaitingConnect) {
    dispatchConnect(connection, frame);
    return;
  }
  const packet = decode(connection, frame);
  if (packet.type === PacketType.auth) handleAuth(connection, packet);
  else if (packet.type === PacketType.disconnect) handleDisconnect(connection, packet);
  else throw protocolError("only AUTH and DISCONNECT may come before CONNACK"); // [MQTT-3.1.2-30]
}

function dispatchConnect(connection: Connection, frame: Frame): void {
  const type = frame.bytes[frame.start] >> 4;
  // [MQTT-3.1.0-1], 3.1.1: [MQTT-3.1.0-1]
  if (type !== PacketType.connect) throw protocolError("the first packet is not CONNECT");
  connection.state = ConnectionState.connecting;
  let packet: ConnectPacket;
  try {
    packet = decode(connection, frame) as ConnectPacket;
    checkLengthOfConnect(packet, frame);
  } catch (error) {
    refuseBrokenConnect(connection, error, frame.bytes.subarray(frame.bodyStart, frame.end));
    return;
  }
  handleConnect(connection, packet);
}

/** Only now is it known whether the client speaks 5.0, which asks for the fewest bytes [MQTT-1.5.5-1]. */
function checkLengthOfConnect({ protocolVersion }: ConnectPacket, frame: Frame): void {
  if (protocolVersion !== ProtocolVersion.v5) return;
  if (hasPaddedLength(frame.bytes, frame.start, frame.bodyStart)) {
    throw malformed("a remaining length in more bytes than needed");
  }
}

function decode(connection: Connection, { bytes, start, bodyStart, end }: Frame): Packet {
  return decodePacketBody(bytes[start], bytes, bodyStart, end, connection.protocolVersion);
}
