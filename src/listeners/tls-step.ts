/**
 * The step that speaks TLS with a client. After it the client's certificate, if it has shown one, is verified: against the
 * CA file and the revocation list of the listener, and nothing else. Tickets let clients resume a session for five
 * minutes; a change of any file makes them worthless, so that a revoked certificate does not come back with one.
 */
import type { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { assert } from "../base/index.ts";
import type { Arrival } from "./arrivals.ts";
import { describeClient } from "./client-certificate.ts";
import { formatListenUrl, type TcpAddress, type WebSocketAddress } from "./listen-url.ts";
import type { ListenContext } from "./listener.ts";
import type { Step } from "./proxy-protocol.ts";
import { ServedCertificates } from "./served-certificates.ts";
import type { TlsSettings } from "./tls-settings.ts";

interface Waiting {
  readonly arrival: Arrival;
  readonly next: (arrival: Arrival) => void;
}

/** What a client may offer (ALPN); it need not offer any. With others only it gets the alert of RFC 7301, section 3.2. */
const applicationProtocols = { tcp: "mqtt", websocket: "http/1.1" } as const;

export class TlsStep {
  readonly #certificates: ServedCertificates;
  readonly #settings: TlsSettings;
  readonly #filesMilliseconds: number;
  /** It never listens: it is handed connections. */
  readonly #server: Server;
  /** In the handshake. Node does not say which socket it was handed, but both have the same ends. */
  readonly #waiting = new Map<string, Waiting>();

  private constructor(
    address: TcpAddress | WebSocketAddress,
    context: ListenContext & { readonly tls: TlsSettings },
    certificates: ServedCertificates,
  ) {
    this.#settings = context.tls;
    this.#filesMilliseconds = context.filesMilliseconds;
    this.#certificates = certificates;
    this.#server = createServer({
      ...certificates.first.options,
      ALPNProtocols: [applicationProtocols[address.kind]],
      SNICallback: (name, answer) => answer(null, certificates.contextFor(name)),
      requestCert: context.tls.clientCertificates !== "none",
      // What is wrong with a certificate is found in `#findFault`; Node would not say it.
      rejectUnauthorized: false,
      handshakeTimeout: context.limits.connectSecondsMax * 1000,
    });
    this.#server.on("secureConnection", (socket) => this.#secured(socket));
    this.#server.on("tlsClientError", (error, socket) => this.#failed(error, socket));
  }

  /** @throws TstackError CERTIFICATE_INVALID */
  static async open(
    address: TcpAddress | WebSocketAddress,
    context: ListenContext,
  ): Promise<TlsStep> {
    const { tls, log } = context;
    assert(tls !== undefined, "a listener with TLS has its settings");
    const options = { settings: tls, listener: formatListenUrl(address), log };
    const certificates = await ServedCertificates.open(options);
    return new TlsStep(address, { ...context, tls }, certificates);
  }

  readonly step: Step = (arrival, next) => {
    const ends = nameEnds(arrival.accepted);
    if (ends === undefined) return arrival.destroy();
    const waiting = { arrival, next };
    this.#waiting.set(ends, waiting);
    arrival.accepted.on("close", () => {
      if (this.#waiting.get(ends) === waiting) this.#waiting.delete(ends);
    });
    this.#server.emit("connection", arrival.socket);
  };

  watch(): void {
    this.#certificates.watch(this.#filesMilliseconds, () => {
      this.#server.setSecureContext(this.#certificates.first.options);
    });
  }

  close(): void {
    this.#certificates.close();
  }

  #secured(socket: TLSSocket): void {
    const waiting = this.#take(socket);
    if (waiting === undefined || waiting.arrival.isOver) {
      socket.destroy();
      return;
    }
    const { arrival, next } = waiting;
    const certificate = socket.getPeerX509Certificate();
    const fault = this.#findFault(socket, certificate);
    if (fault !== undefined) {
      arrival.refuse(fault);
      return;
    }
    if (certificate !== undefined) arrival.clientCertificate = describeClient(certificate);
    arrival.socket = socket;
    next(arrival);
  }

  #findFault(socket: TLSSocket, certificate: X509Certificate | undefined): string | undefined {
    const { clientCertificates } = this.#settings;
    if (certificate === undefined) {
      return clientCertificates === "required" ? "it has shown no certificate" : undefined;
    }
    if (socket.authorized) return undefined;
    return `its certificate is not accepted: ${explain(socket.authorizationError)}`;
  }

  #failed(error: Error, socket: TLSSocket): void {
    const { code } = error as NodeJS.ErrnoException;
    // Of one that has gone the end of the accepted socket tells.
    if (code !== "ECONNRESET") this.#take(socket)?.arrival.refuse(`TLS failed: ${explain(error)}`);
    socket.destroy();
  }

  #take(socket: TLSSocket): Waiting | undefined {
    const ends = nameEnds(socket);
    if (ends === undefined) return undefined;
    const waiting = this.#waiting.get(ends);
    this.#waiting.delete(ends);
    return waiting;
  }
}

/** One of a kind among the open connections of a listener; undefined when it is closed. */
function nameEnds({ remoteAddress, remotePort, localAddress }: Socket): string | undefined {
  if (remoteAddress === undefined) return undefined;
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}

/** What people meet most, in words; the clients themselves often say no more than "connection lost". */
const inWords: readonly (readonly [RegExp, string])[] = [
  [/^(?:wrong version number|http request)$/, "it does not speak TLS"],
  [
    / alert (?:unknown ca|bad certificate|certificate unknown)$/,
    "it does not trust the certificate",
  ],
];

/** Node gives codes, `CERT_REVOKED`, or errors of OpenSSL: `error:0A000102:SSL routines::unsupported protocol`. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { reason, code } = error as { readonly reason?: string; readonly code?: string };
  const name = reason ?? code ?? error.message;
  const words = inWords.find(([pattern]) => pattern.test(name))?.[1];
  return words === undefined ? name : `${words} (${name})`;
}
