/**
 * What every listener is given and gives back. A listener owns the sockets until the broker's
 * `TransportSink` has been told that they are closed; it knows nothing of MQTT but the limits it needs.
 */
import { defaultLimits, type Limits, type Log, silentLog } from "../base/index.ts";
import type { TransportAcceptor } from "../broker/ports.ts";
import type { ProxyProtocolSettings } from "./proxy-protocol.ts";
import type { TlsSettings } from "./tls-settings.ts";

/** A place where clients can connect. */
export interface Listener {
  /** As it was asked for, with the real port: `mqtt://127.0.0.1:1883`. */
  readonly url: string;
  /** Stops accepting. Open transports stay: the broker ends them. Calling it again does nothing. */
  close(): Promise<void>;
}

/** Those limits of the broker that listeners keep. */
export type ListenLimits = Pick<
  Limits,
  "packetBytesMax" | "connectionsMax" | "connectSecondsMax" | "endSecondsMax"
>;

export interface ListenOptions {
  readonly limits?: Partial<ListenLimits>;
  /** Hears of connections that could not be accepted, and of certificates. */
  readonly log?: Log;
  /** For `mqtts` and `wss`, which need it, and for no other. */
  readonly tls?: TlsSettings;
  /** Every connection comes through one of these proxies. */
  readonly proxyProtocol?: ProxyProtocolSettings;
  /** How often the files of `tls` are looked at. Default: every 2 seconds. */
  readonly filesMilliseconds?: number;
}

/** `ListenOptions` with nothing left open, and the broker's side of the listener. */
export interface ListenContext {
  readonly acceptor: TransportAcceptor;
  readonly limits: ListenLimits;
  readonly log: Log;
  readonly tls: TlsSettings | undefined;
  readonly proxyProtocol: ProxyProtocolSettings | undefined;
  readonly filesMilliseconds: number;
}

const filesMilliseconds = 2000;

export function resolveContext(acceptor: TransportAcceptor, options: ListenOptions): ListenContext {
  return {
    acceptor,
    limits: { ...defaultLimits, ...options.limits },
    log: options.log ?? silentLog,
    tls: options.tls,
    proxyProtocol: options.proxyProtocol,
    filesMilliseconds: options.filesMilliseconds ?? filesMilliseconds,
  };
}
