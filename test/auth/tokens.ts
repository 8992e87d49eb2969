/** Real keys, tokens and logins with them, for the tests of the link `jwt`. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import type { AuthenticationRequest } from "../../src/broker/index.ts";

export const secret = "s".repeat(64);
export const soon = Math.floor(Date.now() / 1000) + 600;

export interface TestKey {
  readonly alg: string;
  readonly sign: (claims: JWTPayload, header?: object) => Promise<string>;
  readonly jwk?: object;
}

export async function newKey(alg: string, kid?: string): Promise<TestKey> {
  const pair = alg.startsWith("HS") ? undefined : await generateKeyPair(alg, { extractable: true });
  const key = pair?.privateKey ?? Buffer.from(secret);
  const sign = (claims: JWTPayload, header = {}) =>
    new SignJWT({ exp: soon, ...claims }).setProtectedHeader({ alg, kid, ...header }).sign(key);
  const jwk = pair === undefined ? undefined : { ...(await exportJWK(pair.publicKey)), kid };
  return { alg, sign, jwk };
}

export async function newFile(context: TestContext, content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tstack-jwt-"));
  context.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "keys");
  await writeFile(file, content);
  return file;
}

export function writeKeySet(...keys: TestKey[]): string {
  return JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });
}

export function login(
  token: string,
  given: Partial<AuthenticationRequest> = {},
): AuthenticationRequest {
  return {
    clientIdentifier: "c",
    userName: undefined,
    password: Buffer.from(token),
    protocolVersion: 5,
    remoteAddress: "127.0.0.1:50000",
    listener: "mqtt://127.0.0.1:1883",
    ...given,
  };
}
