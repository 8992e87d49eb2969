/** What becomes of a connection when something goes wrong: the peer's fault is told to the peer, a bug is told to the log. */
import { ReasonCode, TstackError } from "../base/index.ts";
import type { Connection } from "./connection.ts";
import { ConnectionState } from "./connection-state.ts";
import { refuse } from "./handlers/welcome.ts";

export function failConnection(connection: Connection, error: unknown): void {
  const isConnecting = connection.state === ConnectionState.connecting;
  // While an answer to CONNECT is awaited nothing of the peer's is handled.
  const isPeers = error instanceof TstackError && !(isConnecting && connection.isSuspended);
  if (!isPeers) logBug(connection, error);
  else connection.broker.limitHits.countError(error, connection.name);
  try {
    if (isPeers) connection.disconnect(error.reasonCode, error.message);
    else if (isConnecting) refuse(connection, ReasonCode.serverUnavailable, "internal error");
    else connection.disconnect(ReasonCode.unspecifiedError, "internal error");
  } catch (another) {
    logBug(connection, another);
    connection.transport.destroy();
  }
}

export function logBug({ broker, name }: Connection, error: unknown): void {
  broker.log.error({ client: name, error }, "a bug in tStack or in what it was given to ask");
}
