/**
 * The form of the codec's test vectors: bytes as people can check them against the standard, and what they must become.
 */
import type { ErrorCode } from "../../base/index.ts";
import { type Packet, ProtocolVersion } from "../packets.ts";

interface VectorBase {
  /** The clauses it proves, each behind its standard, and what it shows. */
  readonly name: string;
  readonly versions: readonly ProtocolVersion[];
  /** Hexadecimal digits, and text in quotes that stands for its UTF-8 bytes: `30 05 0001 "a" "hi"`. */
  readonly bytes: string;
}

export interface DecodedVector extends VectorBase {
  readonly packet: Packet;
  /** `false` where the bytes are legal and yet not what the encoder writes. */
  readonly canonical?: false;
}

interface RefusedVector extends VectorBase {
  readonly error: ErrorCode;
  /** Words of the error's message, so that it is refused for the right reason. */
  readonly because: string;
  /** The Remaining Length is not the packet's: that is what the vector is about. */
  readonly lengthLies?: true;
}

export type Vector = DecodedVector | RefusedVector;

const { v3_1, v3_1_1, v5 } = ProtocolVersion;
export const only5 = [v5] as const;
export const only311 = [v3_1_1] as const;
export const only31 = [v3_1] as const;
export const both3 = [v3_1, v3_1_1] as const;
export const since311 = [v3_1_1, v5] as const;
export const all = [v3_1, v3_1_1, v5] as const;

/** As the names of tests end with: `(v5)`. */
export const versionNames = { [v3_1]: "v3.1", [v3_1_1]: "v3.1.1", [v5]: "v5" } as const;

/** The bytes that a vector's notation stands for. */
export function parseBytes(notation: string): Buffer {
  const parts = [...notation.matchAll(/"([^"]*)"|([0-9a-f]+)/g)];
  return Buffer.concat(
    parts.map(([, text, hex]) =>
      text === undefined ? Buffer.from(hex, "hex") : Buffer.from(text, "utf8"),
    ),
  );
}
