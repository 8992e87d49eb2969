/**
 * All sessions by client identifier. There is one for an identifier at any time, and at most one connection has it
 * [MQTT-3.1.4-3], 3.1.1: [MQTT-3.1.4-2]. `open` answers later because a session may live elsewhere one day (DESIGN.md,
 * section 6).
 */
import { type Limits, ReasonCode } from "../base/index.ts";
import { type ConnectPacket, ProtocolVersion } from "../codec/index.ts";
import type { Connection } from "./connection.ts";
import { Message } from "./message.ts";
import type { Routes } from "./routes.ts";
import { Session } from "./session.ts";
import type { SessionContext } from "./session-context.ts";
import type { RestoredSession } from "./storage-port.ts";
import { UnderWayReader } from "./under-way-reader.ts";
import type { Wills } from "./wills.ts";

type ExpiryLimits = Pick<Limits, "sessionExpirySecondsMax" | "sessionExpirySecondsV3">;

/** A Session Expiry Interval of this many seconds has no end (5.0, section 3.1.2.11.2). */
const neverExpires = 0xffff_ffff;

export interface OpenRequest {
  readonly clientIdentifier: string;
  /** Undefined for an anonymous client. */
  readonly userName: string | undefined;
  readonly isV5: boolean;
  readonly cleanStart: boolean;
  readonly expirySeconds: number;
}

export interface OpenedSession {
  readonly session: Session;
  /** Whether it was there before. */
  readonly isPresent: boolean;
}

export class Sessions {
  readonly #sessions = new Map<string, Session>(); // [MQTT-3.1.3-2], 3.1.1: [MQTT-3.1.3-2]
  readonly #context: SessionContext;
  readonly #routes: Routes;
  readonly #wills: Wills;
  readonly #stored: UnderWayReader;
  /** Client identifiers whose last stored session has ended, as long as a crash would bring it back. */
  readonly #ending = new Map<string, symbol>();

  constructor(context: SessionContext, routes: Routes, wills: Wills) {
    this.#context = context;
    this.#routes = routes;
    this.#wills = wills;
    this.#stored = new UnderWayReader(context.storage);
  }

  get size(): number {
    return this.#sessions.size;
  }

  all(): IterableIterator<Session> {
    return this.#sessions.values();
  }

  has(clientIdentifier: string): boolean {
    return this.#sessions.has(clientIdentifier);
  }

  isStored(clientIdentifier: string): boolean {
    return this.#sessions.get(clientIdentifier)?.isStored === true;
  }

  hasRoomFor(clientIdentifier: string): boolean {
    return this.has(clientIdentifier) || this.size < this.#context.limits.sessionsMax;
  }

  /** The expiry that a client gets: what it asks for, within the limit. */
  expirySecondsFor(connect: ConnectPacket, limits: ExpiryLimits): number {
    if (connect.protocolVersion === ProtocolVersion.v5) {
      return this.grantedExpirySeconds(connect.properties.sessionExpiryInterval ?? 0, limits);
    }
    return connect.cleanStart ? 0 : limits.sessionExpirySecondsV3; // 3.1.1: [MQTT-3.1.2-6]
  }

  grantedExpirySeconds(asked: number, limits: ExpiryLimits): number {
    const { limitHits } = this.#context;
    if (asked > limits.sessionExpirySecondsMax) limitHits.count("sessionExpirySecondsMax", {});
    return Math.min(asked, limits.sessionExpirySecondsMax);
  }

  /**
   * The session for `connection`, which holds it from now on: whoever held it is disconnected. This is the processing
   * of Clean Start [MQTT-3.1.4-4], 3.1.1: [MQTT-3.1.4-3]. Undefined, and nothing has happened, for a connection that has
   * ended before it was its turn; "foreign" in the same way where the session is another user's.
   */
  async open(
    connection: Connection,
    request: OpenRequest,
  ): Promise<OpenedSession | "foreign" | undefined> {
    const { clientIdentifier, userName, isV5, cleanStart, expirySeconds } = request;
    if (!cleanStart) await this.#stored.readUnderWay(this.#sessions.get(clientIdentifier));
    if (connection.isClosed) return undefined; // who came after it may have the session by now
    if (this.#isForeign(clientIdentifier, userName)) return "foreign";
    const holder = this.#sessions.get(clientIdentifier)?.holder;
    holder?.disconnect(
      ReasonCode.sessionTakenOver, // [MQTT-3.1.4-3]
      `the client identifier was taken over by a connection from ${connection.transport.remoteAddress}`,
    );
    const known = this.#sessions.get(clientIdentifier);
    if (known !== undefined && cleanStart) this.#endForNew(known); // [MQTT-3.1.2-4], 3.1.1: [MQTT-3.1.2-6]
    const present = cleanStart ? undefined : known; // [MQTT-3.1.2-5], 3.1.1: [MQTT-3.1.2-4]
    const mustBeGone = present === undefined && this.#ending.has(clientIdentifier);
    const session = present ?? new Session(clientIdentifier, isV5, this.#context); // [MQTT-3.1.2-6]
    if (session.isV5 !== isV5) {
      session.isV5 = isV5;
      this.#routes.sessionChanged();
    }
    this.#sessions.set(clientIdentifier, session);
    session.holder = connection;
    if (session.userName !== userName) {
      session.reviewedGeneration = -1; // what was allowed was so to somebody else
      session.untold = undefined;
    }
    session.userName = userName;
    session.expirySeconds = expirySeconds;
    if (present === undefined && session.persists) session.store(this.#context.nextQueue());
    if (session.expiryDeadline !== undefined) {
      this.#context.deadlines.cancel(session.expiryDeadline);
      session.expiryDeadline = undefined;
    }
    this.#wills.cancel(session); // [MQTT-3.1.3-9]
    this.save(session);
    connection.session = session;
    // What the end of the holder set off may have ended this one too.
    if (connection.isClosed) this.connectionEnded(connection);
    // Told that the old session is gone, a client must not find it again after a crash.
    if (mustBeGone) await this.#context.journal.whenCommitted();
    return { session, isPresent: present !== undefined };
  }

  /**
   * Whether nobody but another user may have it, not even to end it. What an anonymous client has left is for whoever has
   * its client identifier.
   */
  #isForeign(clientIdentifier: string, userName: string | undefined): boolean {
    const owner = this.#sessions.get(clientIdentifier)?.userName;
    return owner !== undefined && owner !== userName;
  }

  /** Ends sessions of users who are no more, those with a connection too. */
  endOf(userNames: ReadonlySet<string>): void {
    for (const session of this.#sessions.values()) {
      if (session.userName !== undefined && userNames.has(session.userName)) this.#end(session);
    }
  }

  /** The session goes on without its connection, or ends with it, never before it [MQTT-4.1.0-1], 3.1.1: [MQTT-4.1.0-2]. */
  connectionEnded(connection: Connection): void {
    const { session } = connection;
    if (session === undefined || session.holder !== connection) return;
    session.holder = undefined;
    session.hadGrant = connection.identity?.grant !== undefined;
    session.detach();
    this.#wills.connectionEnded(session);
    if (!session.persists) {
      this.#end(session);
      return;
    }
    if (session.expirySeconds !== neverExpires) {
      // [MQTT-3.1.2-23] [MQTT-4.1.0-2], 3.1.1: [MQTT-4.1.0-1] it is kept for so long, and not longer
      this.#expireAt(session, this.#context.clock.now() + session.expirySeconds * 1000);
    }
    this.save(session);
  }

  #expireAt(session: Session, at: number): void {
    session.expiryDeadline = this.#context.deadlines.schedule(at, () => {
      this.#context.counters.sessionsExpired++;
      this.#end(session);
      const client = session.clientIdentifier;
      this.#context.log.info({ client, dropped: session.drops.take() }, "its session has expired");
    });
  }

  /** What is stored of the session itself is as it is now. */
  save(session: Session): void {
    if (!session.isStored) return;
    const { will, willDeadline, expiryDeadline, holder } = session;
    const never = Number.POSITIVE_INFINITY;
    const publishAt = willDeadline?.at ?? never;
    this.#context.journal.note({
      kind: "session",
      session: {
        queue: session.stored,
        clientIdentifier: session.clientIdentifier,
        userName: session.userName,
        isV5: session.isV5,
        expirySeconds: session.expirySeconds,
        expiresAt: holder === undefined ? (expiryDeadline?.at ?? never) : never,
        isConnected: holder !== undefined,
        will: will && { message: will.message, delaySeconds: will.delaySeconds, publishAt },
      },
    });
  }

  /** A session that comes out of the storage; times that passed meanwhile are due at once. */
  restore({ session: stored, ...others }: RestoredSession): Session {
    const { clientIdentifier, isV5, expirySeconds, isConnected, expiresAt, will } = stored;
    const session = new Session(clientIdentifier, isV5, this.#context);
    session.userName = stored.userName;
    session.store(stored.queue, others.figures);
    session.expirySeconds = expirySeconds;
    for (const identifier of others.receivedIdentifiers) {
      session.receivedIdentifiers ??= new Set();
      session.receivedIdentifiers.add(identifier);
    }
    this.#sessions.set(clientIdentifier, session);
    if (others.figures.positionLast > 0) this.#stored.mayBeUnderWay(session);
    // The end of the broker was the end of its connections.
    const now = this.#context.clock.now();
    if (expirySeconds !== neverExpires)
      this.#expireAt(session, isConnected ? now + expirySeconds * 1000 : expiresAt);
    if (will !== undefined) {
      const { delaySeconds, publishAt } = will;
      session.will = { message: Message.restore(will.message), delaySeconds };
      this.#wills.schedule(session, isConnected ? now + delaySeconds * 1000 : publishAt);
    }
    if (isConnected) this.save(session);
    return session;
  }

  /** Nobody else would tell what it has lost. */
  #endForNew(session: Session): void {
    this.#end(session);
    const dropped = session.drops.take();
    if (dropped === undefined) return;
    const client = session.clientIdentifier;
    this.#context.log.info({ client, dropped }, "its session was ended by a clean start");
  }

  /** The will that still waits is published now: the session it waits for is over. */
  #end(session: Session): void {
    this.#sessions.delete(session.clientIdentifier);
    this.#stored.forget(session);
    this.#wills.publishNow(session);
    if (session.isStored) this.#noteEnding(session.clientIdentifier);
    session.end();
  }

  #noteEnding(clientIdentifier: string): void {
    const mark = Symbol(clientIdentifier);
    this.#ending.set(clientIdentifier, mark);
    const committed = (): void => {
      if (this.#ending.get(clientIdentifier) === mark) this.#ending.delete(clientIdentifier);
    };
    this.#context.journal.wait({ committed });
  }
}
