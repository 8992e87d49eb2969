/** The algorithms that tokens may be signed with (RFC 7518, RFC 8037): with a secret, or with a private key. */

/** The bytes that a secret needs at least (RFC 7518, section 3.2). */
export const secretBytesMin = { HS256: 32, HS384: 48, HS512: 64 } as const;
export type SecretAlgorithm = keyof typeof secretBytesMin;

export const publicKeyAlgorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;

/** `none` is not among them. */
export const jwtAlgorithms = [
  ...(Object.keys(secretBytesMin) as SecretAlgorithm[]),
  ...publicKeyAlgorithms,
] as const;
export type JwtAlgorithm = (typeof jwtAlgorithms)[number];
