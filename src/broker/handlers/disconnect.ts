/** DISCONNECT from a client: the will is taken back, unless it asks for it, and nothing more is read. */
import { protocolError, ReasonCode } from "../../base/index.ts";
import type { DisconnectPacket } from "../../codec/index.ts";
import type { Connection } from "../connection.ts";

/** Of a client's own words, in the log. */
const reasonLengthMax = 200;

export function handleDisconnect(connection: Connection, packet: DisconnectPacket): void {
  const { session, broker } = connection;
  const expiry = packet.properties.sessionExpiryInterval;
  if (session !== undefined && expiry !== undefined) {
    if (!connection.mayChangeExpiry && expiry > 0) {
      throw protocolError("DISCONNECT gives a session expiry where CONNECT asked for none"); // 5.0, 3.14.2.2.2
    }
    session.expirySeconds = broker.sessions.grantedExpirySeconds(expiry, connection.limits);
  }
  // [MQTT-3.14.4-3], 3.1.1: [MQTT-3.14.4-3] only a normal DISCONNECT takes the will back
  if (session !== undefined && packet.reasonCode === ReasonCode.normalDisconnection) {
    broker.wills.cancel(session);
  }
  // Nothing more is read, and the connection closed, 3.1.1: [MQTT-3.14.4-1] [MQTT-3.14.4-2].
  connection.end({
    by: "client",
    reasonCode: packet.reasonCode,
    why: packet.properties.reasonString?.slice(0, reasonLengthMax) ?? "sent DISCONNECT",
  });
}
