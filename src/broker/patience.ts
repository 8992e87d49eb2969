/**
 * How long one connection may keep the broker waiting: for CONNECT, for its next packet, for the rest of a packet.
 * A client is not blamed for time in which the broker itself did not listen: both clocks start anew when it is read again.
 */
import { type Limits, ReasonCode } from "../base/index.ts";
import type { Broker } from "./broker.ts";
import type { Deadline } from "./deadlines.ts";
import type { CountedLimit } from "./limit-hits.ts";

/** Whose patience it is. */
export interface PatienceOwner {
  /** Not read until it has taken what waits for it. */
  readonly isPaused: boolean;
  /** Not read until an answer from outside is there. */
  readonly isSuspended: boolean;
  /** Not read for a while because it sends too much, or memory is short. */
  readonly isHeldBack: boolean;
  /** How the log names it. */
  readonly name: string;
  disconnect(reasonCode: ReasonCode, why: string): void;
}

/** A timer that was set in a long tick may come early by as much. */
const timerSlackMilliseconds = 100;

export class Patience {
  readonly #owner: PatienceOwner;
  readonly #broker: Broker;
  readonly #limits: Limits;
  readonly #deadline: Deadline;
  /** 0: for ever; undefined before CONNACK. */
  #keepAliveSeconds: number | undefined;
  #lastSignAt: number;
  /** When the packet that is not complete yet began to come; 0 for none. */
  #incompleteSince = 0;
  /** When the connection ended and the transport had yet to close; 0 before. */
  #endedAt = 0;

  constructor(owner: PatienceOwner, broker: Broker, limits: Limits) {
    this.#owner = owner;
    this.#broker = broker;
    this.#limits = limits;
    this.#lastSignAt = broker.clock.now();
    const connectBy = this.#lastSignAt + limits.connectSecondsMax * 1000;
    this.#deadline = broker.deadlines.schedule(connectBy, () => this.#check());
  }

  /** CONNACK has gone out: from now on the keep alive counts. */
  startKeepAlive(keepAliveSeconds: number): void {
    this.#keepAliveSeconds = keepAliveSeconds;
    this.signOfLife();
    this.#broker.deadlines.move(this.#deadline, this.#nextCheckAt(this.#lastSignAt));
  }

  signOfLife(): void {
    this.#lastSignAt = this.#broker.clock.now();
  }

  /** What was read: whole packets, or not, and at its end a part of one, or not. */
  sawBytes(hasPackets: boolean, isIncomplete: boolean): void {
    if (hasPackets) {
      this.signOfLife();
      this.#incompleteSince = 0;
    }
    if (!isIncomplete) this.#incompleteSince = 0;
    else if (this.#incompleteSince === 0) this.#incompleteSince = this.#broker.clock.now();
  }

  /** The broker listens again. */
  startAnew(): void {
    this.signOfLife();
    if (this.#incompleteSince > 0) this.#incompleteSince = this.#lastSignAt;
  }

  end(): void {
    this.#broker.deadlines.cancel(this.#deadline);
    this.#endedAt = this.#broker.clock.now();
  }

  /** Cut off, when it took longer than it may: that is the transport's to do. */
  transportClosed(): void {
    const { clock } = this.#broker;
    if (this.#endedAt === 0) return;
    const late = this.#limits.endSecondsMax * 1000 - timerSlackMilliseconds;
    if (clock.now() - this.#endedAt >= late) this.#count("endSecondsMax");
  }

  #count(limit: CountedLimit): void {
    this.#broker.limitHits.count(limit, { client: this.#owner.name });
  }

  /** The broker itself does not listen: the client is not blamed for its silence. */
  get #isDeaf(): boolean {
    return this.#owner.isSuspended || this.#owner.isHeldBack;
  }

  /** One and a half times the keep alive [MQTT-3.1.2-22], 3.1.1: [MQTT-3.1.2-24]. */
  get #silenceMilliseconds(): number {
    return (this.#keepAliveSeconds || Number.POSITIVE_INFINITY) * 1500;
  }

  get #packetMilliseconds(): number {
    return this.#limits.packetSecondsMax * 1000;
  }

  /** When the client may be overdue with a packet, or with the rest of one. */
  #nextCheckAt(now: number): number {
    const isDeaf = this.#isDeaf;
    const silentFrom = isDeaf ? now : this.#lastSignAt;
    const packetFrom = this.#owner.isPaused || isDeaf ? now : this.#incompleteSince || now;
    return Math.min(silentFrom + this.#silenceMilliseconds, packetFrom + this.#packetMilliseconds);
  }

  #check(): void {
    const now = this.#broker.clock.now();
    const isDeaf = this.#isDeaf;
    if (this.#keepAliveSeconds === undefined) {
      this.#count("connectSecondsMax");
      this.#owner.disconnect(
        ReasonCode.maximumConnectTime,
        "no complete CONNECT in time (connectSecondsMax)",
      );
    } else if (!isDeaf && now - this.#lastSignAt >= this.#silenceMilliseconds) {
      this.#owner.disconnect(
        ReasonCode.keepAliveTimeout,
        `nothing came for 1.5 times the keep alive of ${this.#keepAliveSeconds} s`,
      );
    } else if (
      !(isDeaf || this.#owner.isPaused) &&
      this.#incompleteSince > 0 &&
      now - this.#incompleteSince >= this.#packetMilliseconds
    ) {
      this.#count("packetSecondsMax");
      this.#owner.disconnect(
        ReasonCode.unspecifiedError,
        "a packet took longer than packetSecondsMax to come",
      );
    } else this.#broker.deadlines.move(this.#deadline, this.#nextCheckAt(now));
  }
}
