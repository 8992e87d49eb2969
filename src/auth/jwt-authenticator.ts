/**
 * The link `jwt`: a JSON Web Token (RFC 7519) as the password, or with the AUTH packets of MQTT 5.0 as the method `JWT`, with
 * which a client renews it while connected. What looks like a token is let in if all of it is right, and else refused; it
 * is never tried as anything else. Tokens are in no log and no error.
 */
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from "jose";
import { ReasonCode } from "../base/index.ts";
import type {
  AuthenticationExchange,
  AuthenticationRequest,
  AuthenticationResult,
  AuthenticationStep,
  EnhancedAuthenticator,
} from "../broker/ports.ts";
import type { AuthenticationLink } from "./authenticator-chain.ts";
import { Grant } from "./grant.ts";
import { type GrantingWorld, isDisabled, toBrokerTime } from "./granted-identity.ts";
import { type JwtClaimSettings, readClaims } from "./jwt-claims.ts";
import type { JwtKeySettings, JwtKeys } from "./jwt-keys.ts";

export interface JwtSettings extends JwtKeySettings, JwtClaimSettings {
  /** One of them is the claim `iss`. Default: not looked at. */
  readonly issuer?: string | readonly string[];
  /** One of them is among the claim `aud`. Default: not looked at. */
  readonly audience?: string | readonly string[];
  /** How far the clocks of issuer and broker may be apart. Default: 5. */
  readonly clockToleranceSeconds?: number;
}

const tokenBytesMax = 8192;
const clockToleranceSecondsDefault = 5;

export class JwtAuthenticator implements AuthenticationLink, EnhancedAuthenticator {
  readonly name = "jwt";
  readonly method = "JWT";
  readonly #settings: JwtSettings;
  readonly #keys: JwtKeys;
  readonly #world: GrantingWorld;

  /** Use `openJwtAuthenticator`. */
  constructor(settings: JwtSettings, keys: JwtKeys, world: GrantingWorld) {
    this.#settings = settings;
    this.#keys = keys;
    this.#world = world;
  }

  async authenticate(request: AuthenticationRequest): Promise<AuthenticationResult | undefined> {
    const token = findToken(request.password);
    return token === undefined ? undefined : await this.#decide(token, request);
  }

  /** One step: the authentication data are the token. Anew with AUTH 0x19 and a fresh one, before the old expires. */
  begin(request: AuthenticationRequest): AuthenticationExchange {
    return { next: (data) => this.#step(data, request) };
  }

  async #step(
    data: Uint8Array | undefined,
    request: AuthenticationRequest,
  ): Promise<AuthenticationStep> {
    const token = findToken(data);
    if (token === undefined) {
      const rule = "the authentication data are no JSON Web Token";
      return { outcome: "failure", reasonCode: ReasonCode.notAuthorized, rule };
    }
    try {
      const result = await this.#decide(token, request);
      if (!result.allowed) return { ...result, outcome: "failure" };
      return { ...result, outcome: "success", data: undefined };
    } catch (err) {
      const { clientIdentifier, remoteAddress, listener } = request;
      const facts = { err, link: this.name, clientIdentifier, remoteAddress, listener };
      this.#world.log.error(facts, "a client is refused because its token could not be checked");
      const rule = `the token could not be checked: ${err instanceof Error ? err.message : ""}`;
      return { outcome: "failure", reasonCode: ReasonCode.serverUnavailable, rule };
    }
  }

  async #decide(token: string, request: AuthenticationRequest): Promise<AuthenticationResult> {
    if (token.length > tokenBytesMax) return refuse(`it has more than ${tokenBytesMax} bytes`);
    let claims: JWTPayload;
    try {
      claims = await this.#verify(token);
    } catch (error) {
      // jose's messages name claims, never what is in them.
      if (error instanceof errors.JOSEError) return refuse(error.message);
      throw error;
    }
    const identity = readClaims(claims, request, this.#settings);
    if (typeof identity === "string") return refuse(identity);
    const { userName, rights } = identity;
    if (isDisabled(this.#world, userName)) {
      return refuse(`its user ${JSON.stringify(userName)} is disabled`);
    }
    const owner = `the token of ${JSON.stringify(userName)}`;
    return {
      allowed: true,
      userName,
      rule: owner,
      grant: rights === undefined ? undefined : new Grant(owner, () => rights),
      expiresAt: toBrokerTime(this.#world, ((claims.exp ?? 0) + this.#clockTolerance) * 1000),
    };
  }

  get #clockTolerance(): number {
    return this.#settings.clockToleranceSeconds ?? clockToleranceSecondsDefault;
  }

  async #verify(token: string): Promise<JWTPayload> {
    const { issuer, audience } = this.#settings;
    const { timeOfDay = Date.now } = this.#world;
    const options = {
      algorithms: [...this.#keys.algorithms],
      requiredClaims: ["exp"],
      clockTolerance: this.#clockTolerance,
      currentDate: new Date(timeOfDay()),
      ...(issuer === undefined ? {} : { issuer: [issuer].flat() }),
      ...(audience === undefined ? {} : { audience: [audience].flat() }),
    };
    try {
      return (await jwtVerify(token, this.#keys.find, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      // The token does not name its key: one of those that suit has to be right.
      let mistake: unknown = error;
      for await (const key of error) {
        try {
          return (await jwtVerify(token, key, options)).payload;
        } catch (reason) {
          if (!(reason instanceof errors.JWSSignatureVerificationFailed)) throw reason;
          mistake = reason;
        }
      }
      throw mistake;
    }
  }
}

/** What looks like a signed token: three parts, the first of them a JSON object. */
function findToken(bytes: Uint8Array | undefined): string | undefined {
  const text = Buffer.from(bytes ?? []).toString("latin1");
  if (!/^[\w-]+\.[\w-]*\.[\w-]*$/.test(text)) return undefined;
  try {
    decodeProtectedHeader(text);
    return text;
  } catch {
    return undefined;
  }
}

/** `why` speaks of the token. */
function refuse(why: string): AuthenticationResult & { readonly allowed: false } {
  const rule = `the token is refused: ${why}`;
  return { allowed: false, reasonCode: ReasonCode.notAuthorized, rule };
}
