/**
 * Enhanced authentication (5.0, section 4.12): AUTH packets go to and fro until the method says yes or no, before
 * CONNACK or, to authenticate anew, on a connection that stands.
 */
import { protocolError, ReasonCode } from "../../base/index.ts";
import {
  type AuthPacket,
  type ConnectPacket,
  PacketType,
  toDisconnectFailure,
} from "../../codec/index.ts";
import type { Connection } from "../connection.ts";
import { ConnectionState } from "../connection-state.ts";
import type { Admission, AuthenticationExchange, AuthenticationRequest } from "../ports.ts";
import { reviewSession } from "../session-review.ts";
import { describeEnded } from "../user-sessions.ts";
import { accept, expireAt, refuse } from "./welcome.ts";

/** The method a connection was opened with, and the exchange under way. */
export interface Authentication {
  readonly method: string;
  /** Until CONNACK: it holds the will and the password. */
  connect: ConnectPacket | undefined;
  /** From CONNACK on without the password. */
  request: AuthenticationRequest;
  exchange: AuthenticationExchange | undefined;
}

/** CONNECT named a method: its first data go to the method at once. */
export async function beginAuthentication(
  connection: Connection,
  connect: ConnectPacket,
  request: AuthenticationRequest,
): Promise<void> {
  const method = connect.properties.authenticationMethod ?? "";
  const authenticator = connection.profile.enhancedAuthenticators.get(method);
  if (authenticator === undefined) {
    // [MQTT-4.12.0-1]
    refuse(
      connection,
      ReasonCode.badAuthenticationMethod,
      "this broker does not know the authentication method",
    );
    return;
  }
  connection.authentication = { method, connect, request, exchange: authenticator.begin(request) };
  await step(connection, connect.properties.authenticationData);
}

export function handleAuth(connection: Connection, packet: AuthPacket): void {
  const { authentication, profile } = connection;
  // [MQTT-4.12.0-6] [MQTT-4.12.0-7]
  if (authentication === undefined) throw protocolError("AUTH without an authentication method");
  const { authenticationMethod, authenticationData } = packet.properties;
  if (authenticationMethod !== authentication.method) {
    throw protocolError("AUTH with another authentication method"); // [MQTT-4.12.0-5] [MQTT-4.12.1-1]
  }
  if (packet.reasonCode === ReasonCode.reAuthenticate) {
    const authenticator = profile.enhancedAuthenticators.get(authentication.method);
    if (connection.state !== ConnectionState.connected || authenticator === undefined) {
      throw protocolError("re-authentication before CONNACK");
    }
    authentication.exchange = authenticator.begin(authentication.request);
  } else if (packet.reasonCode !== ReasonCode.continueAuthentication) {
    throw protocolError("AUTH with a reason code that is the server's"); // [MQTT-4.12.0-3]
  } else if (authentication.exchange === undefined) {
    throw protocolError("AUTH without an exchange under way");
  }
  connection.suspendFor(step(connection, authenticationData));
}

async function step(connection: Connection, data: Uint8Array | undefined): Promise<void> {
  const { authentication } = connection;
  if (authentication?.exchange === undefined) return;
  const result = await authentication.exchange.next(data);
  if (connection.isClosed) return;
  const { connect } = authentication;
  switch (result.outcome) {
    case "continue":
      sendAuth(connection, ReasonCode.continueAuthentication, result.data); // [MQTT-4.12.0-2]
      return;
    case "success":
      authentication.exchange = undefined;
      if (connect === undefined) {
        if (result.userName === connection.identity?.userName) {
          await renew(connection, result);
          if (!connection.isClosed) sendAuth(connection, ReasonCode.success, result.data);
        } else {
          // The session, its rights and its will belong to who it was.
          connection.disconnect(ReasonCode.notAuthorized, "authenticated anew as another user");
        }
        return;
      }
      authentication.connect = undefined;
      authentication.request = { ...authentication.request, password: undefined };
      await accept(connection, {
        connect,
        clientIdentifier: authentication.request.clientIdentifier,
        userName: result.userName,
        grant: result.grant,
        expiresAt: result.expiresAt,
        authenticationData: result.data,
      });
      return;
    case "failure":
      // [MQTT-4.12.0-4], [MQTT-4.12.1-2]
      if (connect === undefined)
        connection.disconnect(toDisconnectFailure(result.reasonCode), "authentication failed");
      else refuse(connection, result.reasonCode, "authentication failed", result.rule);
  }
}

/** It is who it was, for longer or with other rights. */
async function renew(connection: Connection, { grant, expiresAt }: Admission): Promise<void> {
  const { identity, session, broker } = connection;
  if (identity === undefined || session === undefined) return;
  expireAt(connection, expiresAt);
  if (grant === undefined && identity.grant === undefined) return;
  connection.identity = { ...identity, grant };
  connection.forgetRights();
  const ended = await reviewSession(broker, session, connection.identity);
  if (ended.length > 0) connection.disconnect(ReasonCode.notAuthorized, describeEnded(ended));
}

function sendAuth(
  connection: Connection,
  reasonCode: typeof ReasonCode.success | typeof ReasonCode.continueAuthentication,
  data: Uint8Array | undefined,
): void {
  const isSent = connection.send({
    type: PacketType.auth,
    reasonCode,
    properties: {
      authenticationMethod: connection.authentication?.method,
      ...(data === undefined ? {} : { authenticationData: data }),
    },
  });
  // [MQTT-3.1.2-24] the exchange cannot go on
  if (!isSent) connection.disconnect(ReasonCode.packetTooLarge, "AUTH is too large for the client");
}
