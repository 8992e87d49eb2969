/**
 * What every listener is given and gives back. A listener owns the sockets until the broker's
 * `TransportSink` has been told that they are closed; it knows nothing of MQTT but the limits it needs.
 */
import { defaultLimits, type Limits, type Log, silentLog } from "../base/index.ts";
import type { TransportAcceptor } from "../broker/ports.ts";

/** A place where clients can connect. */
export interface Listener {
  /** As it was asked for, with the real port: `mqtt://127.0.0.1:1883`. */
  readonly url: string;
  /** Stops accepting. Open transports stay: the broker ends them. Calling it again does nothing. */
  close(): Promise<void>;
}

/** Those limits of the broker that listeners keep. */
export type ListenLimits = Pick<Limits, "packetBytesMax" | "connectSecondsMax" | "endSecondsMax">;

export interface ListenOptions {
  readonly limits?: Partial<ListenLimits>;
  /** Hears of connections that could not be accepted. */
  readonly log?: Log;
}

/** `ListenOptions` with nothing left open, and the broker's side of the listener. */
export interface ListenContext {
  readonly acceptor: TransportAcceptor;
  readonly limits: ListenLimits;
  readonly log: Log;
}

export function resolveContext(acceptor: TransportAcceptor, options: ListenOptions): ListenContext {
  return {
    acceptor,
    limits: { ...defaultLimits, ...options.limits },
    log: options.log ?? silentLog,
  };
}
