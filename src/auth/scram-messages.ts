/**
 * The two messages that a SCRAM client sends (RFC 5802, section 7), read as strictly as the grammar is written. What is no such
 * message comes back as a `ScramFault` that says why, in words without secrets.
 */

export interface ClientFirst {
  /** `n,,` or `y,,`: no channel binding, nobody else's name. */
  readonly header: string;
  /** What is behind the header: it is signed. */
  readonly bare: string;
  readonly userName: string;
  readonly nonce: string;
}

export interface ClientFinal {
  /** All but the proof: it is signed. */
  readonly withoutProof: string;
  /** Must be the header of the first message. */
  readonly header: string;
  readonly nonce: string;
  readonly proof: Buffer;
}

export class ScramFault {
  readonly words: string;

  constructor(words: string) {
    this.words = words;
  }
}

const nonceCharactersMax = 256;
const nonce = String.raw`[\x21-\x2b\x2d-\x7e]{1,${nonceCharactersMax}}`;
/** Extensions have no meaning here and are signed like the rest; one that begins with `m=` asks for what nobody knows. */
const extensions = String.raw`(?:,[A-Za-z]=[^,\0]+)*`;
const headerPattern = /^([ny]|p=[A-Za-z0-9.-]+),(a=[^,]*)?,/;
const firstPattern = new RegExp(`^n=((?:[^=,\\0]|=2C|=3D)+),r=(${nonce})${extensions}$`, "s");
const finalPattern = new RegExp(
  `^(c=([A-Za-z0-9+/]+={0,2}),r=(${nonce})${extensions}),p=([A-Za-z0-9+/]{43}=)$`,
  "s",
);

export function readClientFirst(data: Uint8Array | undefined): ClientFirst | ScramFault {
  const text = decode(data);
  if (text === undefined) return new ScramFault("the first message is not there or not UTF-8");
  const match = headerPattern.exec(text);
  if (match === null) return new ScramFault("the first message does not begin with n,, or y,,");
  const [header, binding, authorizationName] = match;
  if (binding.startsWith("p="))
    return new ScramFault("channel binding is asked for: there is none");
  if (authorizationName !== undefined)
    return new ScramFault("the right to act for somebody else is asked for: there is none");
  const bare = text.slice(header.length);
  const [, name, clientNonce] = firstPattern.exec(bare) ?? [];
  if (name === undefined)
    return new ScramFault("the first message is not a name and a nonce (n=...,r=...)");
  const userName = name.replaceAll("=2C", ",").replaceAll("=3D", "=");
  return { header, bare, userName, nonce: clientNonce };
}

export function readClientFinal(data: Uint8Array | undefined): ClientFinal | ScramFault {
  const match = finalPattern.exec(decode(data) ?? "");
  if (match === null)
    return new ScramFault(
      "the last message is not a binding, a nonce and a proof (c=...,r=...,p=...)",
    );
  const [, withoutProof, binding, bothNonces, proofText] = match;
  const proof = Buffer.from(proofText, "base64");
  if (proof.toString("base64") !== proofText) return new ScramFault("the proof is not base64");
  const header = Buffer.from(binding, "base64").toString("latin1");
  return { withoutProof, header, nonce: bothNonces, proof };
}

function decode(data: Uint8Array | undefined): string | undefined {
  try {
    return data && new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    return undefined;
  }
}
