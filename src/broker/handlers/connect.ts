/**
 * CONNECT: which protocol, which client identifier, and is it who it says. Everything that is refused is refused
 * before a session is touched; who passes is welcomed in `welcome.ts`.
 */
import { ReasonCode, TstackError } from "../../base/index.ts";
import {
  type ConnectPacket,
  findProtocolVersion,
  ProtocolVersion,
  UnsupportedVersionError,
} from "../../codec/index.ts";
import type { Broker } from "../broker.ts";
import type { Connection } from "../connection.ts";
import type { AuthenticationRequest } from "../ports.ts";
import { beginAuthentication } from "./auth.ts";
import { accept, refuse, refuseAtLimit } from "./welcome.ts";

export function handleConnect(connection: Connection, connect: ConnectPacket): void {
  const { properties } = connect;
  connection.protocolVersion = connect.protocolVersion;
  connection.maximumPacketSize = properties.maximumPacketSize ?? connection.maximumPacketSize;
  connection.mayChangeExpiry = (properties.sessionExpiryInterval ?? 0) > 0;
  connection.wantsProblemInformation = properties.requestProblemInformation ?? true;
  if (refuseAtLimits(connection)) return;
  const clientIdentifier = chooseClientIdentifier(connection, connect);
  if (clientIdentifier === undefined) return;
  const request: AuthenticationRequest = {
    clientIdentifier,
    userName: connect.userName,
    password: connect.password,
    protocolVersion: connect.protocolVersion,
    remoteAddress: connection.transport.remoteAddress,
    listener: connection.transport.listener,
    clientCertificate: connection.transport.clientCertificate,
    isAwaited: () => !connection.isClosed,
  };
  connection.suspendFor(authenticate(connection, connect, request));
}

/** Before anything that costs more: whether there is room for it. */
function refuseAtLimits(connection: Connection): boolean {
  const { broker, address, limits, profile } = connection;
  const atAddress = address && broker.addresses.check(address);
  if (atAddress === "connectionsPerAddressMax")
    refuseAtLimit(connection, ReasonCode.quotaExceeded, atAddress);
  else if (atAddress !== undefined)
    refuseAtLimit(connection, ReasonCode.connectionRateExceeded, atAddress);
  else if (
    broker.connectionCount > broker.limits.connectionsMax ||
    profile.connections > limits.connectionsMax
  )
    refuseAtLimit(connection, ReasonCode.serverBusy, "connectionsMax");
  else if (broker.memory.isShort)
    refuseAtLimit(connection, ReasonCode.serverBusy, "memoryBytesMax");
  return connection.isClosed;
}

/** Answers a CONNECT that could not be read, as far as the standard lets it be answered. */
export function refuseBrokenConnect(connection: Connection, error: unknown, body: Buffer): void {
  if (error instanceof UnsupportedVersionError) {
    connection.protocolVersion = error.answerVersion;
    refuse(connection, ReasonCode.unsupportedProtocolVersion, error.message); // [MQTT-3.1.2-2], 3.1.1: [MQTT-3.1.2-2]
    return;
  }
  if (!(error instanceof TstackError)) throw error;
  connection.protocolVersion =
    findProtocolVersion(body, 0, body.length) ?? connection.protocolVersion;
  if (connection.isV5)
    refuse(connection, error.reasonCode, error.message); // [MQTT-3.1.4-1]
  else connection.fail(error); // 3.1.1: [MQTT-3.1.4-1] [MQTT-3.2.2-6] the end without CONNACK
}

/** Undefined when the identifier is refused, which is then done. */
function chooseClientIdentifier(
  connection: Connection,
  { clientIdentifier, cleanStart, protocolVersion }: ConnectPacket,
): string | undefined {
  const { limits } = connection;
  if (clientIdentifier !== "") {
    // [MQTT-3.1.3-5], 3.1.1: [MQTT-3.1.3-5]
    if (Buffer.byteLength(clientIdentifier) <= limits.clientIdentifierBytesMax)
      return clientIdentifier;
    // [MQTT-3.1.3-8], 3.1.1: [MQTT-3.1.3-9]
    connection.broker.limitHits.count("clientIdentifierBytesMax", { client: connection.name });
    refuse(
      connection,
      ReasonCode.clientIdentifierNotValid,
      `the client identifier has more than ${limits.clientIdentifierBytesMax} bytes (clientIdentifierBytesMax)`,
    );
    return undefined;
  }
  const mayBeAssigned =
    protocolVersion === ProtocolVersion.v5 ||
    (protocolVersion === ProtocolVersion.v3_1_1 && cleanStart); // 3.1.1: [MQTT-3.1.3-7] [MQTT-3.1.3-8]
  // [MQTT-3.1.3-6] [MQTT-3.1.3-7], 3.1.1: [MQTT-3.1.3-6]
  if (mayBeAssigned) return assignClientIdentifier(connection.broker);
  refuse(
    connection,
    ReasonCode.clientIdentifierNotValid,
    "a session that is kept needs a client identifier",
  );
  return undefined;
}

/** One that no session has [MQTT-3.2.2-16]. */
function assignClientIdentifier({ random, sessions }: Broker): string {
  for (;;) {
    const clientIdentifier = `auto-${random.hexadecimal(12)}`;
    if (!sessions.has(clientIdentifier)) return clientIdentifier;
  }
}

async function authenticate(
  connection: Connection,
  connect: ConnectPacket,
  request: AuthenticationRequest,
): Promise<void> {
  if (connect.properties.authenticationMethod !== undefined) {
    await beginAuthentication(connection, connect, request);
    return;
  }
  const result = await connection.profile.authenticator.authenticate(request);
  if (connection.isClosed) return;
  if (!result.allowed) {
    // [MQTT-3.1.4-2]
    refuse(connection, result.reasonCode, "the client may not connect", result.rule);
    return;
  }
  const { clientIdentifier } = request;
  const { userName, grant, expiresAt } = result;
  const admission = { userName, grant, expiresAt, authenticationData: undefined };
  await accept(connection, { connect, clientIdentifier, ...admission });
}
