/**
 * Where the keys come from that JSON Web Tokens are checked with: public keys of a JWKS file or URL, or a shared secret.
 * Always holds: a secret is used for HS* only and public keys never, so that no public key can be taken for a secret.
 */
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from "jose";
import { type Log, TstackError } from "../base/index.ts";
import { ChangingFile, readSecret } from "./changing-file.ts";
import {
  type JwtAlgorithm,
  jwtAlgorithms,
  publicKeyAlgorithms,
  type SecretAlgorithm,
  secretBytesMin,
} from "./jwt-algorithms.ts";
import { askService, describeServiceUrl, parseServiceUrl } from "./service-url.ts";

/** Exactly one of the first three. */
export interface JwtKeySettings {
  /** A JSON Web Key Set (RFC 7517); read again when it changes. */
  readonly jwksFile?: string;
  /** The same from a service: asked again after 10 minutes, and for an unknown key after 30 seconds. Needs `audience`. */
  readonly jwksUrl?: string;
  /** 32 random bytes at least, as they stand in the file but for a line end. Read again when it changes. */
  readonly secretFile?: string;
  /** Lets `jwksUrl` be `http://` of another machine. */
  readonly allowUnencrypted?: boolean;
  /** Which may be used. Default: HS256 with a secret, all others with public keys. */
  readonly algorithms?: readonly JwtAlgorithm[];
}

export interface JwtKeys {
  /** For jose. Rejects with AUTHENTICATION_UNAVAILABLE where that is not the token's fault. */
  readonly find: JWTVerifyGetKey;
  /** By the names that tokens give: `Ed25519` is the new one of `EdDSA` (RFC 9864). */
  readonly algorithms: readonly string[];
}

const documentBytesMax = 262_144;
const fetchMillisecondsMax = 5000;

/** Rejects with CONFIGURATION_INVALID. */
export async function openJwtKeys(settings: JwtKeySettings, log: Log): Promise<JwtKeys> {
  const { jwksFile, jwksUrl, secretFile } = settings;
  const sources = [jwksFile, jwksUrl, secretFile].filter((source) => source !== undefined);
  if (sources.length !== 1) {
    throw invalid("the keys of tokens need exactly one of jwksFile, jwksUrl and secretFile");
  }
  const algorithms = chooseAlgorithms(settings);
  if (secretFile !== undefined) {
    const bytesMin = Math.max(...algorithms.map((name) => secretBytesMin[name as SecretAlgorithm]));
    const parse = (bytes: Buffer) => readLongSecret(bytes, bytesMin);
    const secret = await ChangingFile.open({ file: secretFile, parse, log });
    return { find: () => secret.content(), algorithms };
  }
  const names = algorithms.includes("EdDSA") ? [...algorithms, "Ed25519"] : algorithms;
  if (jwksFile !== undefined) {
    const keys = await ChangingFile.open({ file: jwksFile, parse: parseKeySet, log });
    const find: JWTVerifyGetKey = async (header, token) => (await keys.content())(header, token);
    return { find: failAsUnavailable(find, jwksFile), algorithms: names };
  }
  const { allowUnencrypted } = settings;
  const url = parseServiceUrl({ url: jwksUrl ?? "", allowUnencrypted }, "the jwksUrl");
  const find = createRemoteJWKSet(url, {
    timeoutDuration: fetchMillisecondsMax,
    [customFetch]: fetchKeySet,
  });
  return { find: failAsUnavailable(find, describeServiceUrl(url)), algorithms: names };
}

function chooseAlgorithms({ algorithms, secretFile }: JwtKeySettings): readonly JwtAlgorithm[] {
  const isSecret = secretFile !== undefined;
  const chosen = algorithms ?? (isSecret ? ["HS256"] : publicKeyAlgorithms);
  if (chosen.length === 0) throw invalid("algorithms names none, so no token could be right");
  for (const name of chosen) {
    if (!jwtAlgorithms.includes(name)) {
      throw invalid(`the algorithm ${name} is not one of ${jwtAlgorithms.join(", ")}`);
    }
    if (name in secretBytesMin !== isSecret) {
      const source = isSecret
        ? "a secret, which only HS* use"
        : "public keys, which HS* do not use";
      throw invalid(`the algorithm ${name} does not go with ${source}`);
    }
  }
  return chosen;
}

function readLongSecret(bytes: Buffer, bytesMin: number): Buffer {
  const secret = readSecret(bytes);
  if (secret.length >= bytesMin) return secret;
  throw new RangeError(`it has ${secret.length} bytes; the secret needs ${bytesMin} at least`);
}

function parseKeySet(bytes: Buffer): JWTVerifyGetKey {
  let keySet: unknown;
  try {
    keySet = JSON.parse(bytes.toString());
  } catch {
    // Its message quotes the file, which may hold private keys by mistake: jose's will do.
    keySet = undefined;
  }
  return createLocalJWKSet(keySet as JSONWebKeySet);
}

/** As jose wants to fetch, but bounded. */
async function fetchKeySet(
  url: string,
  { headers, signal }: { readonly headers: Headers; readonly signal: AbortSignal },
): Promise<Response> {
  const body = await askService({
    url: new URL(url),
    method: "GET",
    headers: Object.fromEntries(headers),
    signal,
    answerBytesMax: documentBytesMax,
  });
  return new Response(body);
}

/** Only that there is no such key, or that there are several, says something of the token. */
function failAsUnavailable(find: JWTVerifyGetKey, source: string): JWTVerifyGetKey {
  return async (header, token) => {
    try {
      return await find(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) throw error;
      if (error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      if (error instanceof TstackError) throw error;
      throw unusableKeys(source, error);
    }
  };
}

function unusableKeys(source: string, cause: unknown): TstackError {
  const why = cause instanceof Error ? cause.message : "unknown";
  const message = `the keys of ${source} cannot be used: ${why}`;
  return new TstackError("AUTHENTICATION_UNAVAILABLE", message, { cause });
}

function invalid(message: string): TstackError {
  return new TstackError("CONFIGURATION_INVALID", message);
}
