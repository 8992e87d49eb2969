/**
 * SCRAM-SHA-256 (RFC 5802, RFC 7677) by enhanced authentication: client and server prove to each other that they know the
 * password, which never travels. Names without keys, with a wrong password or of disabled users go through the same steps at
 * the same cost and fail at the end with the same words; a salt of their own, which stays, hides that they are none.
 * User names count as they are, byte for byte, as everywhere in MQTT.
 */
import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { ReasonCode } from "../base/index.ts";
import type {
  AuthenticationExchange,
  AuthenticationRequest,
  AuthenticationStep,
  EnhancedAuthenticator,
} from "../broker/ports.ts";
import type { KnownUser, ScramKeys, UserSource } from "./known-user.ts";
import { scramIterations, scramKeyBytes, scramSaltBytes, sign } from "./scram-keys.ts";
import { readClientFinal, readClientFirst, ScramFault } from "./scram-messages.ts";
import { describeUser } from "./user-authenticator.ts";

const nonceBytes = 24;

export interface ScramAuthenticatorOptions {
  /**
   * Makes the salts of names that have no keys (`openScramSaltKey`). Random when it is not given: then who asks for the
   * salt of a name before and after a restart, or two of these, can tell whether it is a user's.
   */
  readonly saltKey?: Uint8Array;
}

/**
 * @example
 * createBroker({ enhancedAuthenticators: [new ScramAuthenticator(directory)] });
 */
export class ScramAuthenticator implements EnhancedAuthenticator {
  readonly method = "SCRAM-SHA-256";
  readonly #users: UserSource;
  readonly #saltKey: Uint8Array;

  constructor(users: UserSource, { saltKey }: ScramAuthenticatorOptions = {}) {
    this.#users = users;
    this.#saltKey = saltKey ?? randomBytes(32);
  }

  begin({ userName }: AuthenticationRequest): ScramExchange {
    return new ScramExchange(this.#users, this.#saltKey, userName);
  }
}

/** After the first message. */
interface Challenge {
  readonly header: string;
  readonly userName: string;
  /** The client's and the server's. */
  readonly nonce: string;
  readonly keys: ScramKeys;
  /** The beginning of what both sign. */
  readonly messages: string;
}

export class ScramExchange implements AuthenticationExchange {
  readonly #users: UserSource;
  readonly #saltKey: Uint8Array;
  readonly #expectedName: string | undefined;
  #challenge: Challenge | undefined;
  #isOver = false;

  constructor(users: UserSource, saltKey: Uint8Array, expectedName: string | undefined) {
    this.#users = users;
    this.#saltKey = saltKey;
    this.#expectedName = expectedName;
  }

  /** Who the client says it is, from its first message on: whose failure it is when it fails. */
  get userName(): string | undefined {
    return this.#challenge?.userName;
  }

  next(data: Uint8Array | undefined): AuthenticationStep {
    if (this.#isOver) return refuse(ReasonCode.protocolError, "the exchange is over");
    const step =
      this.#challenge === undefined ? this.#begin(data) : this.#finish(this.#challenge, data);
    this.#isOver = step.outcome !== "continue";
    return step;
  }

  #begin(data: Uint8Array | undefined): AuthenticationStep {
    const first = readClientFirst(data);
    if (first instanceof ScramFault) return refuse(ReasonCode.protocolError, first.words);
    const { header, bare, userName } = first;
    if (this.#expectedName !== undefined && this.#expectedName !== userName)
      return refuse(ReasonCode.notAuthorized, "the User Name of CONNECT is not that of SCRAM");
    const keys = this.#users.find(userName)?.scram ?? this.#makeKeysOfNobody(userName);
    const nonce = first.nonce + randomBytes(nonceBytes).toString("base64");
    const answer = `r=${nonce},s=${keys.salt},i=${keys.iterations}`;
    this.#challenge = { header, userName, nonce, keys, messages: `${bare},${answer}` };
    return { outcome: "continue", data: Buffer.from(answer) };
  }

  /** For as long as `saltKey` is the same they are the same for a name. No password has them. */
  #makeKeysOfNobody(userName: string): ScramKeys {
    const salt = sign(this.#saltKey, userName).subarray(0, scramSaltBytes).toString("base64");
    const [storedKey, serverKey] = [randomBytes(scramKeyBytes), randomBytes(scramKeyBytes)];
    return {
      salt,
      iterations: scramIterations,
      storedKey: storedKey.toString("base64"),
      serverKey: serverKey.toString("base64"),
    };
  }

  #finish(challenge: Challenge, data: Uint8Array | undefined): AuthenticationStep {
    const final = readClientFinal(data);
    if (final instanceof ScramFault) return refuse(ReasonCode.protocolError, final.words);
    if (final.header !== challenge.header)
      return refuse(ReasonCode.protocolError, "the last message has not the first one's header");
    if (final.nonce !== challenge.nonce)
      return refuse(ReasonCode.protocolError, "the nonce is not the one that was given");
    const { keys, userName } = challenge;
    const signed = `${challenge.messages},${final.withoutProof}`;
    const isProven = checkProof(keys, signed, final.proof);
    const verifier = sign(Buffer.from(keys.serverKey, "base64"), signed).toString("base64");
    // As it is now: it may have been disabled or have another password since the first message.
    const user = this.#users.find(userName);
    if (user === undefined || !isProven || !user.isEnabled || !hasKeys(user, keys))
      return refuse(ReasonCode.badUserNameOrPassword, describeFailure(user, isProven));
    const rule = `${describeUser(user)}, by SCRAM-SHA-256`;
    return { outcome: "success", data: Buffer.from(`v=${verifier}`), userName, rule };
  }
}

/** RFC 5802, section 3: the proof is the client's key, hidden by a signature that only who has the stored key can make. */
function checkProof(keys: ScramKeys, signed: string, proof: Buffer): boolean {
  const storedKey = Buffer.from(keys.storedKey, "base64");
  const signature = sign(storedKey, signed);
  const clientKey = proof.map((byte, index) => byte ^ signature[index]);
  return timingSafeEqual(hash("sha256", clientKey, "buffer"), storedKey);
}

function hasKeys({ scram }: KnownUser, keys: ScramKeys): boolean {
  return scram?.storedKey === keys.storedKey && scram.serverKey === keys.serverKey;
}

/** For the log of the operator. */
function describeFailure(user: KnownUser | undefined, isProven: boolean): string {
  if (user === undefined) return "there is no such user";
  if (user.scram === undefined) return `${describeUser(user)} has no keys for SCRAM-SHA-256`;
  if (!user.isEnabled) return `${describeUser(user)} is disabled`;
  const why = isProven ? "its keys have changed meanwhile" : "wrong password";
  return `${why} for ${describeUser(user)}`;
}

function refuse(reasonCode: ReasonCode, rule: string): AuthenticationStep {
  return { outcome: "failure", reasonCode, rule };
}
