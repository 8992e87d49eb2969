/**
 * What the world outside may do with the sessions and connections of a user: see them, look at their rights again, cut them
 * off. Acts at once; only an authorizer that answers later is waited for.
 */
import { ReasonCode } from "../base/index.ts";
import { ProtocolVersion } from "../codec/index.ts";
import type { Broker } from "./broker.ts";
import type { Connection } from "./connection.ts";
import type { ClientIdentity } from "./ports.ts";
import type { Session } from "./session.ts";
import { type Ended, reviewSession } from "./session-review.ts";

/** One session, as operators see it. */
export interface ClientView {
  readonly clientIdentifier: string;
  readonly userName?: string;
  readonly isConnected: boolean;
  readonly remoteAddress?: string;
}

export interface DisconnectUserOptions {
  /** What the clients are told, and the log. */
  readonly reason: string;
  /** Ends sessions that outlive their connections too: the user is no more. Default: they stay. */
  readonly endSessions?: boolean;
}

/** All sessions, or those of one user. */
export function listClients({ sessions }: Broker, userName: string | undefined): ClientView[] {
  const views: ClientView[] = [];
  for (const session of sessions.all()) {
    if (userName !== undefined && session.userName !== userName) continue;
    const { clientIdentifier, connection } = session;
    const remoteAddress = connection?.transport.remoteAddress;
    const isConnected = connection !== undefined;
    views.push({ clientIdentifier, userName: session.userName, isConnected, remoteAddress });
  }
  return views;
}

/**
 * A client that loses something of what it was granted is told so and disconnected (5.0: 0x87): otherwise it would go on
 * waiting for messages that never come.
 */
export function reviewUsers(broker: Broker, userNames: ReadonlySet<string> | undefined): void {
  for (const session of [...broker.sessions.all()]) {
    if (userNames !== undefined && !userNames.has(session.userName ?? "")) continue;
    const client = identityOf(session);
    if (client === undefined) continue; // when its client comes back it is known who that is
    const ended = reviewSession(broker, session, client);
    if (ended instanceof Promise) {
      ended
        .then((late) => tell(session, late))
        .catch((error: unknown) => failClosed(broker, session, error));
    } else tell(session, ended);
  }
}

/** Of who is away and was anonymous, or had rights of its login, is not known what it may do. */
function identityOf(session: Session): ClientIdentity | undefined {
  const { clientIdentifier, userName, holder, hadGrant } = session;
  if (holder !== undefined) return holder.identity;
  if (userName === undefined || hadGrant) return undefined;
  const protocolVersion = session.isV5 ? ProtocolVersion.v5 : ProtocolVersion.v3_1_1;
  return { clientIdentifier, userName, protocolVersion, remoteAddress: "", listener: "" };
}

function tell(session: Session, ended: Ended): void {
  if (ended.length === 0) return;
  if (session.connection === undefined) session.untold = [...(session.untold ?? []), ...ended];
  else session.connection.disconnect(ReasonCode.notAuthorized, describeEnded(ended));
}

export function describeEnded([first, ...others]: Ended): string {
  const more = others.length > 0 ? ` and ${others.length} more have` : " has";
  return `${first}${more} ended: no longer allowed`;
}

function failClosed(broker: Broker, session: Session, error: unknown): void {
  broker.log.error(
    { client: session.clientIdentifier, error },
    "whether a client still has its rights could not be found out: it is disconnected",
  );
  session.connection?.disconnect(ReasonCode.serverUnavailable, "its rights cannot be checked");
}

/**
 * Answers how many connections have ended. Those that are about to have a session are among them; who is still to be found
 * out is refused then, if it is one of these users.
 */
export function disconnectUser(
  broker: Broker,
  userName: string | ReadonlySet<string>,
  { reason, endSessions = false }: DisconnectUserOptions,
): number {
  const userNames = typeof userName === "string" ? new Set([userName]) : userName;
  let count = 0;
  for (const connection of [...broker.connections()]) {
    const { identity } = connection;
    if (identity === undefined) noteCutOff(connection, userNames);
    else if (identity.userName !== undefined && userNames.has(identity.userName)) {
      connection.disconnect(ReasonCode.administrativeAction, reason);
      count++;
    }
  }
  if (endSessions) broker.sessions.endOf(userNames);
  return count;
}

/** For a client that has sent its CONNECT. What others bring, they bring after this. */
function noteCutOff(connection: Connection, userNames: ReadonlySet<string>): void {
  const { broker, isSuspended, authentication } = connection;
  if (!isSuspended && authentication === undefined) return;
  const before = broker.cutOffMeanwhile.get(connection) ?? [];
  broker.cutOffMeanwhile.set(connection, [...before, userNames]);
}

/** Whether the user was cut off since the client sent its CONNECT: what was proven then is no longer so. */
export function wasCutOff(connection: Connection, userName: string | undefined): boolean {
  const since = connection.broker.cutOffMeanwhile.get(connection) ?? [];
  return userName !== undefined && since.some((userNames) => userNames.has(userName));
}
