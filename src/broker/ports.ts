/**
 * Everything the broker asks of the world, as interfaces: it does no I/O of its own.
 * Listeners bring `Transport`s, `auth/` brings `Authenticator`s and an `Authorizer`.
 */
import type { Limits, ListenerLimitName, ReasonCode } from "../base/index.ts";
import type { Properties, ProtocolVersion, QoS } from "../codec/index.ts";

export type * from "./storage-port.ts";

/** A byte stream to one peer: TCP, TLS, WebSocket, a Unix socket, or a test's array. */
export interface Transport {
  /** How the peer is named in the log: `127.0.0.1:50123`, `unix`. */
  readonly remoteAddress: string;
  /** The listener that took it, as it was configured: `mqtt://127.0.0.1:1883`. */
  readonly listener: string;
  /** What the client has proven with TLS; absent where it showed none. */
  readonly clientCertificate?: ClientCertificate;
  /** Bytes handed over and not yet taken by the operating system. */
  readonly pendingBytes: number;
  /**
   * Hands over bytes in order. The transport may read them until `pendingBytes` is 0 again, so the caller must not
   * change them before. Never throws: a broken transport reports through `TransportSink.closed`.
   */
  write(bytes: Uint8Array): void;
  /** Stops and restarts the flow of `TransportSink.receive`. */
  pause(): void;
  resume(): void;
  /** Closes after the bytes handed over have gone, or after a bounded wait. */
  end(): void;
  /** Closes now. */
  destroy(): void;
}

/** What the broker gives a listener in exchange for a transport. */
export interface TransportSink {
  /**
   * Bytes from the peer. Up to 64 KB (`copyBytesMax`) they are only lent: the broker copies what it needs before it
   * returns, and the transport may read the next ones into the same buffer. More at once are the broker's to keep.
   */
  receive(bytes: Buffer): void;
  /** `pendingBytes` has come down to 0 after it was not. */
  drained(): void;
  /** The transport is gone, for whatever reason; called exactly once, nothing follows. */
  closed(cause?: Error): void;
}

/** What a client's certificate says. Its chain, its dates and the revocation list have been checked. */
export interface ClientCertificate {
  readonly commonName: string | undefined;
  /** As in the certificate, with their kind: `DNS:heating.example`, `email:ada@example.org`, `URI:urn:device:7`. */
  readonly subjectAlternativeNames: readonly string[];
  /** In hexadecimal digits without colons. */
  readonly serialNumber: string;
  /** SHA-256 of the whole certificate, in hexadecimal digits without colons. */
  readonly fingerprint: string;
}

/** What a listener needs of the broker. */
export interface TransportAcceptor {
  accept(transport: Transport): TransportSink;
}

/** What is particular to the connections of one listener; the rest is as the broker's own options say. */
export interface ListenerSettings {
  /** Those of `listenerLimitNames`. */
  readonly limits?: Partial<Pick<Limits, ListenerLimitName>>;
  readonly authenticator?: Authenticator;
  readonly enhancedAuthenticators?: readonly EnhancedAuthenticator[];
  /**
   * Stands before all topic names and filters of its clients, who never see it: `site-1/`. Topics of the broker itself
   * (`$SYS`, `$tstack`) are the same everywhere. Rights name topics with it.
   */
  readonly mountPoint?: string;
  /** What a 3.x client gets that publishes what it may not: an acknowledgement without delivery (default), or the end. */
  readonly refusedPublish?: "acknowledge" | "disconnect";
}

/** Who a connection is, for rights, the log and events. */
export interface ClientIdentity {
  readonly clientIdentifier: string;
  /** As authenticated; undefined for an anonymous client. */
  readonly userName: string | undefined;
  readonly protocolVersion: ProtocolVersion;
  readonly remoteAddress: string;
  readonly listener: string;
  /** What its authenticator gave along for the authorizer, which alone knows what it is. */
  readonly grant?: unknown;
}

export interface AuthenticationRequest {
  readonly clientIdentifier: string;
  readonly userName: string | undefined;
  /** Undefined at re-authentication: the broker has forgotten it. */
  readonly password: Uint8Array | undefined;
  readonly protocolVersion: ProtocolVersion;
  readonly remoteAddress: string;
  readonly listener: string;
  readonly clientCertificate?: ClientCertificate;
  /** Whether anyone still waits for the answer: costly work that has not begun may be left undone otherwise. */
  readonly isAwaited?: () => boolean;
}

/** What belongs to an identity besides its name. */
export interface Admission {
  /** For the authorizer: see `ClientIdentity.grant`. */
  readonly grant?: unknown;
  /** The connection ends then (5.0: 0xA0) unless it has authenticated anew; milliseconds since 1970. */
  readonly expiresAt?: number;
}

/** `rule` says in words which rule of which file or role decided: refusals are explained with it. */
export type AuthenticationResult =
  | (Admission & {
      readonly allowed: true;
      readonly userName: string | undefined;
      readonly rule: string;
    })
  | { readonly allowed: false; readonly reasonCode: ReasonCode; readonly rule: string };

/** Decides who may connect. Must not block the event loop; may answer later. */
export interface Authenticator {
  authenticate(
    request: AuthenticationRequest,
  ): AuthenticationResult | Promise<AuthenticationResult>;
}

export interface AuthorizationRequest {
  readonly client: ClientIdentity;
  readonly action: "publish" | "subscribe" | "will";
  /** A topic name for publish and will; a topic filter, without `$share/group/`, for subscribe. */
  readonly topic: string;
  readonly qos: QoS;
  readonly retain: boolean;
}
export interface AuthorizationDecision {
  readonly allowed: boolean;
  readonly rule: string;
}

/**
 * Decides who may publish and subscribe what. The broker remembers decisions on publishing per connection, topic, QoS and
 * retain until `generation` changes, so an answer may depend on nothing else. Whoever changes `generation` then calls
 * `rightsChanged` of the broker, which looks at the subscriptions and wills of live sessions again.
 */
export interface Authorizer {
  readonly generation: number;
  authorize(request: AuthorizationRequest): AuthorizationDecision | Promise<AuthorizationDecision>;
}

/** One step of an enhanced authentication (5.0, section 4.12). */
export type AuthenticationStep =
  | { readonly outcome: "continue"; readonly data: Uint8Array | undefined }
  | (Admission & {
      readonly outcome: "success";
      readonly data: Uint8Array | undefined;
      readonly userName: string | undefined;
      readonly rule: string;
    })
  | { readonly outcome: "failure"; readonly reasonCode: ReasonCode; readonly rule: string };

/** One running exchange of AUTH packets. */
export interface AuthenticationExchange {
  next(data: Uint8Array | undefined): AuthenticationStep | Promise<AuthenticationStep>;
}

/** A method of enhanced authentication, by the name that clients put into Authentication Method. */
export interface EnhancedAuthenticator {
  readonly method: string;
  begin(request: AuthenticationRequest): AuthenticationExchange;
}

/** A message as it enters or leaves the broker inside the process. */
export interface ApplicationMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: Properties;
}
