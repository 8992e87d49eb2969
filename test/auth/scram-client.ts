/** The client's side of SCRAM-SHA-256 (RFC 5802), written from the RFC and not from the server's code. */
import assert from "node:assert/strict";
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

const hmac = (key: Uint8Array, message: string) =>
  createHmac("sha256", key).update(message).digest();

export class ScramClient {
  readonly #password: string;
  readonly #header: string;
  readonly #boundHeader: string;
  readonly #nonce: string;
  readonly #firstBare: string;
  #serverSignature = "";

  /** `boundHeader` is the one that the last message says it began with. */
  constructor(
    userName: string,
    password: string,
    {
      header = "n,,",
      boundHeader = header,
      nonce = "",
    }: { header?: string; boundHeader?: string; nonce?: string } = {},
  ) {
    this.#password = password;
    this.#header = header;
    this.#boundHeader = boundHeader;
    this.#nonce = nonce === "" ? randomBytes(18).toString("base64") : nonce;
    const name = userName.replaceAll("=", "=3D").replaceAll(",", "=2C");
    this.#firstBare = `n=${name},r=${this.#nonce}`;
  }

  get first(): string {
    return this.#header + this.#firstBare;
  }

  /** The answer to the server's first message. */
  final(serverFirst: string): string {
    const [, nonce, salt, iterations] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? [];
    assert.ok(nonce?.startsWith(this.#nonce) && nonce !== this.#nonce, serverFirst);
    const binding = Buffer.from(this.#boundHeader).toString("base64");
    const withoutProof = `c=${binding},r=${nonce}`;
    const signed = `${this.#firstBare},${serverFirst},${withoutProof}`;
    const salted = pbkdf2Sync(
      this.#password,
      Buffer.from(salt, "base64"),
      Number(iterations),
      32,
      "sha256",
    );
    const clientKey = hmac(salted, "Client Key");
    const storedKey = createHash("sha256").update(clientKey).digest();
    const signature = hmac(storedKey, signed);
    const proof = Buffer.from(clientKey.map((byte, index) => byte ^ signature[index]));
    this.#serverSignature = hmac(hmac(salted, "Server Key"), signed).toString("base64");
    return `${withoutProof},p=${proof.toString("base64")}`;
  }

  /** The server has proven that it knows the keys. */
  expectProof(serverFinal: string): void {
    assert.equal(serverFinal, `v=${this.#serverSignature}`);
  }
}
