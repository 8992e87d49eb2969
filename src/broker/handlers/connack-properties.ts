/** What CONNACK tells a 5.0 client: the limits that hold for it, where they differ from the standard's defaults. */
import type { Properties } from "../../codec/index.ts";
import type { Connection } from "../connection.ts";
import type { Session } from "../session.ts";
import type { Ended } from "../session-review.ts";
import { describeEnded } from "../user-sessions.ts";
import type { Authenticated } from "./welcome.ts";

export function connackProperties(
  connection: Connection,
  { connect, clientIdentifier, authenticationData }: Authenticated,
  session: Session,
  ended: Ended,
): Properties {
  if (!connection.isV5) return {};
  const { limits } = connection;
  const asked = connect.properties;
  const properties: Properties = {
    maximumPacketSize: limits.packetBytesMax,
    topicAliasMaximum: limits.topicAliasMax, // [MQTT-3.2.2-18]
  };
  // MQTT.js 5.16 does not keep within it: the standard's default serves more users than a smaller one.
  if (limits.receiveMaximum < 65_535) properties.receiveMaximum = limits.receiveMaximum;
  if ((asked.sessionExpiryInterval ?? 0) !== session.expirySeconds) {
    properties.sessionExpiryInterval = session.expirySeconds;
  }
  // [MQTT-3.2.2-16]
  if (connect.clientIdentifier === "") properties.assignedClientIdentifier = clientIdentifier;
  if (connection.keepAliveSeconds !== connect.keepAliveSeconds) {
    properties.serverKeepAlive = connection.keepAliveSeconds; // [MQTT-3.1.2-21] [MQTT-3.2.2-21]
  }
  if (asked.requestResponseInformation === true) {
    properties.responseInformation = `response/${clientIdentifier}`; // [MQTT-3.1.2-28]
  }
  if (asked.authenticationMethod !== undefined) {
    properties.authenticationMethod = asked.authenticationMethod; // [MQTT-4.12.0-5]
    if (authenticationData !== undefined) properties.authenticationData = authenticationData;
  }
  if (ended.length > 0) properties.reasonString = describeEnded(ended);
  return properties;
}
