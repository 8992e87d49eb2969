/**
 * Connections between accept and the broker, on listeners where a PROXY header, TLS or HTTP comes first. Each has
 * `connectSecondsMax` for all of that, and no more than `connectionsMax` of one listener are on their way: slow ones fill no
 * memory. Those that have arrived the broker counts, and can tell them. What comes to nothing is a line in the log, not too often.
 */
import type { Socket } from "node:net";
import type { Log } from "../base/index.ts";
import type { ClientCertificate } from "../broker/ports.ts";
import type { ListenLimits } from "./listener.ts";
import { namePeer } from "./peer-name.ts";
import { type ThrottledLog, throttle } from "./throttled-log.ts";

/** A connection on its way to the broker. */
export class Arrival {
  /** As it was accepted: the end of this one is the end of all that stands upon it. */
  readonly accepted: Socket;
  /** What the next step reads. */
  socket: Socket;
  /** The client's, as far as it is known yet. */
  remoteAddress: string;
  clientCertificate: ClientCertificate | undefined = undefined;
  /** What a proxy has said before the client said anything. */
  proxyBytes = 0;
  readonly #refused: ThrottledLog;
  readonly #timer: NodeJS.Timeout;
  #isOver = false;

  constructor(accepted: Socket, milliseconds: number, refused: ThrottledLog) {
    this.accepted = accepted;
    this.socket = accepted;
    this.remoteAddress = namePeer(accepted);
    this.#refused = refused;
    this.#timer = setTimeout(() => this.refuse("it took too long"), milliseconds);
    this.#timer.unref();
  }

  /** The broker has it, or nobody any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  refuse(why: string): void {
    if (!this.#isOver) this.#refused({ remote: this.remoteAddress, why });
    this.destroy();
  }

  destroy(): void {
    this.leave();
    this.accepted.destroy();
  }

  leave(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  /** Health probes connect and go without a byte: nothing to tell. */
  goneBeforeTime(): void {
    if (this.accepted.bytesRead <= this.proxyBytes) this.destroy();
    else this.refuse("it ended before it was ready for MQTT");
  }
}

export class Arrivals {
  readonly #limits: ListenLimits;
  readonly #refused: ThrottledLog;
  readonly #tooMany: ThrottledLog;
  readonly #waiting = new Set<Arrival>();

  constructor(limits: ListenLimits, listener: string, log: Log) {
    this.#limits = limits;
    this.#refused = throttle(log, {
      level: "info",
      fields: { listener },
      message: "a connection was refused before MQTT began",
    });
    this.#tooMany = throttle(log, {
      level: "warn",
      fields: { listener, connectionsMax: limits.connectionsMax },
      message:
        "a connection was closed at once, as connectionsMax of them have yet to begin with MQTT",
    });
  }

  /** Undefined where it was closed at once. */
  admit(accepted: Socket): Arrival | undefined {
    if (accepted.remoteAddress === undefined) {
      accepted.destroy(); // it has gone already
      return undefined;
    }
    if (this.#waiting.size >= this.#limits.connectionsMax) {
      this.#tooMany({ remote: namePeer(accepted) });
      accepted.destroy();
      return undefined;
    }
    const arrival = new Arrival(accepted, this.#limits.connectSecondsMax * 1000, this.#refused);
    this.#waiting.add(arrival);
    accepted.on("error", ignore); // `close` follows
    accepted.on("close", () => {
      this.#waiting.delete(arrival);
      if (!arrival.isOver) arrival.goneBeforeTime();
    });
    return arrival;
  }

  /** The broker takes it. */
  release(arrival: Arrival): void {
    this.#waiting.delete(arrival);
    arrival.leave();
  }

  /** Ends those that the broker does not have. */
  close(): void {
    for (const arrival of this.#waiting) arrival.destroy();
  }
}

function ignore(): void {}
