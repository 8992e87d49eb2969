/**
 * What the claims of a token, whose signature, dates, issuer and audience are right, say of a client. A token is taken as
 * a whole or not at all.
 */
import type { JWTPayload } from "jose";
import { findMistakeInGrantedName, readGrantedRights } from "./granted-identity.ts";
import type { Right } from "./rights.ts";

export interface JwtClaimSettings {
  /** Default: `sub`. */
  readonly userNameClaim?: string;
  /** If set, tokens have it, and it is the client identifier. */
  readonly clientIdentifierClaim?: string;
  /** A list of filters and rules. Default: `rights`. Without it in a token, the user's own rights count. */
  readonly rightsClaim?: string;
}

export interface TokenIdentity {
  readonly userName: string;
  readonly rights: readonly Right[] | undefined;
}

/** Who it is; or in words what is wrong with the token. */
export function readClaims(
  claims: JWTPayload,
  connect: { readonly userName: string | undefined; readonly clientIdentifier: string },
  settings: JwtClaimSettings,
): TokenIdentity | string {
  const { userNameClaim = "sub", clientIdentifierClaim, rightsClaim = "rights" } = settings;
  const userName = readClaim(claims, userNameClaim);
  const mistake = findMistakeInGrantedName(userName);
  if (mistake !== undefined) return `its claim ${userNameClaim} ${mistake}`;
  if (connect.userName !== undefined && connect.userName !== userName) {
    return `its claim ${userNameClaim} is not the user name that the client gives`;
  }
  if (
    clientIdentifierClaim !== undefined &&
    readClaim(claims, clientIdentifierClaim) !== connect.clientIdentifier
  ) {
    return `its claim ${clientIdentifierClaim} is not the client identifier`;
  }
  const list = readClaim(claims, rightsClaim);
  if (list === undefined) return { userName: String(userName), rights: undefined };
  const rights = readGrantedRights(list, `claim ${rightsClaim}`);
  if (typeof rights === "string") return `its claim ${rightsClaim} ${rights}`;
  return { userName: String(userName), rights };
}

function readClaim(claims: JWTPayload, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}
