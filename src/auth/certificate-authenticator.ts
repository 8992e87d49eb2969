/**
 * The link `certificate`: a client's certificate, which TLS has checked, names a user. Whoever shows one is that user or is
 * refused: a certificate of nobody, of somebody disabled or beside another user name is never tried as something else,
 * and a password that is given as well must be right too. Stands before `users` in a chain.
 */
import { ReasonCode } from "../base/index.ts";
import type {
  AuthenticationRequest,
  AuthenticationResult,
  ClientCertificate,
} from "../broker/ports.ts";
import type { AuthenticationLink } from "./authenticator-chain.ts";
import type { KnownUser, UserSource } from "./known-user.ts";
import type { PasswordVerifier } from "./password-verifier.ts";
import { describeUser, refuseBusy } from "./user-authenticator.ts";

/** What of a certificate is the user name: its common name, or its first alternative name of that kind. */
export const certificateNames = ["cn", "san:DNS", "san:email", "san:URI"] as const;
export type CertificateName = (typeof certificateNames)[number];

export interface CertificateAuthenticatorOptions {
  readonly users: Pick<UserSource, "find">;
  readonly verifier: Pick<PasswordVerifier, "verify">;
  /** Default: `cn`. */
  readonly userName?: CertificateName;
}

export class CertificateAuthenticator implements AuthenticationLink {
  readonly name = "certificate";
  readonly #users: Pick<UserSource, "find">;
  readonly #verifier: Pick<PasswordVerifier, "verify">;
  readonly #userName: CertificateName;

  constructor({ users, verifier, userName = "cn" }: CertificateAuthenticatorOptions) {
    this.#users = users;
    this.#verifier = verifier;
    this.#userName = userName;
  }

  async authenticate(request: AuthenticationRequest): Promise<AuthenticationResult | undefined> {
    const { clientCertificate, userName, password } = request;
    if (clientCertificate === undefined) return undefined;
    const certificate = `certificate ${clientCertificate.serialNumber}`;
    const name = readName(clientCertificate, this.#userName);
    if (name === undefined) return refuse(`${certificate} has no name of kind ${this.#userName}`);
    if (userName !== undefined && userName !== name) {
      return refuse(`${certificate} is of ${JSON.stringify(name)}, not of the user name given`);
    }
    const user = this.#users.find(name);
    if (user === undefined) {
      return refuse(`${certificate} is of ${JSON.stringify(name)}, and there is no such user`);
    }
    if (!user.isEnabled) return refuse(`${certificate} is of ${describeUser(user)}, disabled`);
    if (password !== undefined && password.length > 0) {
      const refusal = await this.#refusePassword(user, password);
      if (refusal !== undefined) return refusal;
    }
    return { allowed: true, userName: name, rule: `${certificate} of ${describeUser(user)}` };
  }

  async #refusePassword(
    user: KnownUser,
    password: Uint8Array,
  ): Promise<AuthenticationResult | undefined> {
    switch (await this.#verifier.verify(password, user.credential, user.name)) {
      case "right":
        return undefined;
      case "busy":
        return refuseBusy();
      case "wrong": {
        const rule = `the certificate is right, but the password given with it is wrong for ${describeUser(user)}`;
        return { allowed: false, reasonCode: ReasonCode.badUserNameOrPassword, rule };
      }
    }
  }
}

function readName(certificate: ClientCertificate, kind: CertificateName): string | undefined {
  if (kind === "cn") return certificate.commonName || undefined;
  const prefix = kind.replace("san:", "").concat(":");
  const name = certificate.subjectAlternativeNames.find((text) => text.startsWith(prefix));
  return name?.slice(prefix.length) || undefined;
}

function refuse(rule: string): AuthenticationResult {
  return { allowed: false, reasonCode: ReasonCode.notAuthorized, rule };
}
