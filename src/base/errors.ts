/**
 * Every error that a broken world or a broken peer can cause, in one table: a stable code, what it
 * means, and the MQTT reason code that a peer is told where there is one. `docs/errors.md` lists
 * the same table, held by a test. Broken code is `assert`.
 */
import type { Limits } from "./limits.ts";
import { ReasonCode } from "./reason-codes.ts";

interface ErrorKind {
  readonly meaning: string;
  readonly reasonCode?: ReasonCode;
}

export const errorTable = {
  MQTT_MALFORMED_PACKET: {
    meaning: "The peer sent bytes that are not a packet of its protocol version.",
    reasonCode: ReasonCode.malformedPacket,
  },
  MQTT_PROTOCOL_ERROR: {
    meaning: "The peer sent a well-formed packet that the standard does not allow there.",
    reasonCode: ReasonCode.protocolError,
  },
  MQTT_UNSUPPORTED_VERSION: {
    meaning: "The peer asked for a protocol that is not MQTT 3.1, 3.1.1 or 5.0.",
    reasonCode: ReasonCode.unsupportedProtocolVersion,
  },
  MQTT_PACKET_TOO_LARGE: {
    meaning: "The peer announced a packet beyond packetBytesMax.",
    reasonCode: ReasonCode.packetTooLarge,
  },
  MQTT_TOPIC_NAME_INVALID: {
    meaning: "The peer published to a name that is empty, too deep, or holds a wildcard.",
    reasonCode: ReasonCode.topicNameInvalid,
  },
  MQTT_TOPIC_FILTER_INVALID: {
    meaning: "The peer subscribed with a filter that the standard does not allow.",
    reasonCode: ReasonCode.topicFilterInvalid,
  },
  MQTT_TOPIC_ALIAS_INVALID: {
    meaning: "The peer used topic alias 0, one beyond the maximum, or one it never set.",
    reasonCode: ReasonCode.topicAliasInvalid,
  },
  MQTT_RECEIVE_MAXIMUM_EXCEEDED: {
    meaning: "The peer has more unacknowledged messages under way than it was allowed.",
    reasonCode: ReasonCode.receiveMaximumExceeded,
  },
  MESSAGE_INVALID: {
    meaning:
      "The program published a message that no PUBLISH packet can carry: its QoS, its length or a property.",
  },
  PASSWORD_HASH_INVALID: {
    meaning:
      "The text given as the hash of a password is not one of argon2id, bcrypt or mosquitto's PBKDF2.",
  },
  USER_INVALID: {
    meaning:
      "A user, a role or what is to change of it is not what it must be: the message says what.",
  },
  USER_EXISTS: { meaning: "There is a user of that name already." },
  USER_UNKNOWN: { meaning: "There is no user of that name." },
  USER_CONFIGURED: {
    meaning: "The user stands in the configuration file, which only people change.",
  },
  ROLE_EXISTS: { meaning: "There is a role of that name already." },
  ROLE_UNKNOWN: { meaning: "There is no role of that name." },
  ROLE_IN_USE: { meaning: "Users have the role: it is taken from them first." },
  RIGHT_UNKNOWN: { meaning: "The user or role has no such right." },
  REGISTRATION_KEY_REFUSED: {
    meaning: "The key for registration is unknown, expired, used up or revoked.",
  },
  REGISTRATION_KEY_EXISTS: { meaning: "There is a key for registration of that name already." },
  REGISTRATION_KEY_UNKNOWN: { meaning: "There is no key for registration of that name." },
  REGISTRATION_UNAVAILABLE: {
    meaning: "Too many devices register at one time, or nearly all names for them are taken.",
  },
  BAN_UNKNOWN: { meaning: "Neither that address nor that user is banned." },
  AUTHENTICATION_UNAVAILABLE: {
    meaning:
      "A service or a key that decides who comes in cannot be asked or used, so nobody comes in by it.",
    reasonCode: ReasonCode.serverUnavailable,
  },
  CERTIFICATE_INVALID: {
    meaning:
      "A certificate, its key, a CA or a revocation list cannot be read, or they do not belong together.",
  },
  ADMIN_UNREACHABLE: {
    meaning: "The broker's API does not answer, or the folder is not one of a broker.",
  },
  BROKER_NOT_RUNNING: {
    meaning: "Only a running broker knows that, and none runs with this folder.",
  },
  CONFIGURATION_INVALID: {
    meaning:
      "The configuration, a variable of the environment or an option does not say what it must.",
  },
  PAYLOAD_UNREADABLE: {
    meaning:
      "The payload of a message is not what the mapping says: no JSON, no number, no such time.",
  },
  SINK_UNAVAILABLE: {
    meaning: "A destination of messages cannot be reached, is busy or full: trying again may help.",
  },
  SINK_REFUSED: {
    meaning: "A destination of messages does not want what it was given, and never will.",
  },
  SPOOL_FAILED: {
    meaning: "What waits for a destination cannot be kept on the disk: full, no right, or damaged.",
  },
  LEARNING_FAILED: { meaning: "What `tserve --learn` notes cannot be written to its file." },
  LISTEN_URL_INVALID: {
    meaning:
      "The URL of a listener is not one of mqtt://, mqtts://, ws://, wss:// or unix:// in its form.",
  },
  LISTEN_ADDRESS_IN_USE: {
    meaning: "Another program listens on that port or socket already.",
  },
  LISTEN_WITHOUT_USERS: {
    meaning:
      "Other machines could reach a broker that has no users, and nobody asked for that by name.",
  },
  LISTEN_FAILED: {
    meaning:
      "The operating system refused to listen there: no right, no such address or directory.",
  },
  STORAGE_NOT_RESTORED: {
    meaning: "The program uses its broker before that has taken up what its storage holds.",
  },
  STORAGE_LOCKED: {
    meaning: "Another broker works with that folder: two never share one.",
  },
  STORAGE_VERSION_UNKNOWN: {
    meaning: "A newer tStack has written the database, and this one does not know its form.",
  },
  STORAGE_OPEN_FAILED: {
    meaning: "The folder or the database could not be made or opened.",
  },
  STORAGE_READ_ONLY: {
    meaning: "The folder or the database may not be written: no right, or a read-only disk.",
  },
  STORAGE_FULL: {
    meaning:
      "The disk is full. Nothing more is acknowledged that must be kept until there is space.",
  },
  STORAGE_GONE: {
    meaning: "The folder or the database has vanished, or another file stands in its place.",
  },
  STORAGE_DAMAGED: {
    meaning:
      "What is in the database makes no sense any more: the disk or another program harmed it.",
  },
  STORAGE_FAILED: {
    meaning:
      "The operating system or another program kept the database from being read or written.",
  },
  STORAGE_UNAVAILABLE: {
    meaning: "The storage has ended, by itself or because it was closed.",
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof errorTable;

/** An error with a stable code out of `errorTable`. `message` says what happened, where, what to do. */
export class TstackError extends Error {
  readonly code: ErrorCode;
  /** The limit that a peer went beyond, where that is what is wrong: it is counted. */
  readonly limit: keyof Limits | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options?: ErrorOptions & { readonly limit?: keyof Limits | undefined },
  ) {
    super(message, options);
    this.name = "TstackError";
    this.code = code;
    this.limit = options?.limit;
  }

  /** What an MQTT peer is told. */
  get reasonCode(): ReasonCode {
    const kind: ErrorKind = errorTable[this.code];
    return kind.reasonCode ?? ReasonCode.unspecifiedError;
  }
}

/** Malformed Packet (5.0, section 4.13): the bytes do not follow the standard's layout. */
export function malformed(message: string): TstackError {
  return new TstackError("MQTT_MALFORMED_PACKET", message);
}

/** Protocol Error (5.0, section 4.13): a packet that is not allowed, or not allowed here. */
export function protocolError(message: string): TstackError {
  return new TstackError("MQTT_PROTOCOL_ERROR", message);
}
