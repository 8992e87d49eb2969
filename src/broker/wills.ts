/**
 * Last wills: published when a connection ends without a DISCONNECT that takes them back, at once or after their
 * delay, and no later than the end of the session [MQTT-3.1.3-9].
 */
import type { Clock } from "../base/index.ts";
import type { WillMessage } from "../codec/index.ts";
import { encodeMessage } from "./application-message.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Message } from "./message.ts";
import type { Session } from "./session.ts";

export interface Will {
  /** In bytes of its own, for as long as its connection stands; its expiry interval has not started. */
  readonly message: Message;
  /** 0 in 3.x. */
  readonly delaySeconds: number;
}

export function toWill(will: WillMessage, clientIdentifier: string): Will {
  return {
    message: encodeMessage(will, clientIdentifier),
    delaySeconds: will.properties.willDelayInterval ?? 0,
  };
}

export interface WillsOptions {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly publish: (message: Message) => void;
  /** The session's will has changed: what is stored of it follows. */
  readonly save: (session: Session) => void;
}

export class Wills {
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #publish: (message: Message) => void;
  readonly #save: (session: Session) => void;

  constructor({ clock, deadlines, publish, save }: WillsOptions) {
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.#publish = publish;
    this.#save = save;
  }

  /** The connection is gone and the will stands; where the session ends with it, `publishNow` follows at once. */
  connectionEnded(session: Session): void {
    const { will } = session;
    if (will === undefined) return;
    if (will.delaySeconds === 0) {
      this.publishNow(session);
      return;
    }
    this.schedule(session, this.#clock.now() + will.delaySeconds * 1000);
  }

  /** Publishes the will of `session` at `at`. */
  schedule(session: Session, at: number): void {
    session.willDeadline = this.#deadlines.schedule(at, () => this.publishNow(session));
  }

  /** The client is back in time, or took the will back with DISCONNECT [MQTT-3.1.2-10], 3.1.1: [MQTT-3.1.2-10]. */
  cancel(session: Session): void {
    session.will = undefined;
    if (session.willDeadline !== undefined) this.#deadlines.cancel(session.willDeadline);
    session.willDeadline = undefined;
  }

  /** The delay is over or the session ends: whichever is first. Does nothing without a will. */
  publishNow(session: Session): void {
    const { will } = session;
    if (will === undefined) return;
    this.cancel(session);
    this.#save(session); // in one batch with the message: after a crash it is published once
    will.message.startExpiry(this.#clock.now());
    this.#publish(will.message); // [MQTT-3.1.2-8], 3.1.1: [MQTT-3.1.2-8]
  }
}
