/**
 * Reads the header with which a proxy says whose connection it hands on: version 1 (a line) and 2 (binary) of the PROXY
 * protocol. A pure function of the bytes so far: it never looks behind the header, and asks for no more than its bounds.
 */
import { isIPv4, isIPv6, SocketAddress } from "node:net";

export interface ProxySource {
  /** As the operating system would write it. */
  readonly address: string;
  readonly port: number;
}

export type ProxyHeaderResult =
  | { readonly kind: "unfinished" }
  | {
      readonly kind: "header";
      readonly byteLength: number;
      /** Absent where the proxy speaks for itself, or of something that has no such address: the socket's own counts. */
      readonly source: ProxySource | undefined;
    }
  | { readonly kind: "fault"; readonly why: string };

const textBegin = Buffer.from("PROXY ");
const binaryBegin = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
/** The line with both addresses of IPv6 at their longest, and CR LF. */
const textBytesMax = 107;
const binaryFixedBytes = 16;
/** The addresses of Unix sockets are the longest. */
const addressBytesMax = 216;
/** What else a proxy tells (type, length, value) is skipped; known proxies send a few hundred bytes. */
const extraBytesMax = 4096;

/** The most that `parseProxyHeader` can ask for. */
export const proxyHeaderBytesMax = binaryFixedBytes + addressBytesMax + extraBytesMax;

const unfinished = { kind: "unfinished" } as const;

/**
 * @example parseProxyHeader(Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 5000 1883\r\n"))
 * // { kind: "header", byteLength: 46, source: { address: "192.0.2.1", port: 5000 } }
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeaderResult {
  if (begins(bytes, textBegin)) {
    return bytes.length < textBegin.length ? unfinished : parseText(bytes);
  }
  if (begins(bytes, binaryBegin)) {
    return bytes.length < binaryFixedBytes ? unfinished : parseBinary(bytes);
  }
  return fault("it does not begin with a PROXY header");
}

/** As far as the bytes go. */
function begins(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.compare(signature, 0, length, 0, length) === 0;
}

function parseText(bytes: Buffer): ProxyHeaderResult {
  const end = bytes.subarray(0, textBytesMax).indexOf("\r\n");
  if (end === -1) {
    return bytes.length < textBytesMax
      ? unfinished
      : fault(`its PROXY line is longer than ${textBytesMax} bytes`);
  }
  const byteLength = end + 2;
  const words = bytes.toString("latin1", 0, end).split(" ");
  const [, family] = words;
  // Whatever follows UNKNOWN is to be ignored.
  if (family === "UNKNOWN") return { kind: "header", byteLength, source: undefined };
  const isAddress = family === "TCP4" ? isIPv4 : isPlainIPv6;
  const isWellFormed =
    (family === "TCP4" || family === "TCP6") &&
    words.length === 6 &&
    words.slice(2, 4).every(isAddress) &&
    words.slice(4).every(isPort);
  if (!isWellFormed) return fault("its PROXY line has not the form of TCP4, TCP6 or UNKNOWN");
  const [, , address, , port] = words;
  return { kind: "header", byteLength, source: nameSource(address, Number(port)) };
}

function parseBinary(bytes: Buffer): ProxyHeaderResult {
  const version = bytes[12] >> 4;
  const command = bytes[12] & 0x0f;
  if (version !== 2) return fault(`its PROXY header is of version ${version}`);
  if (command > 1) return fault(`its PROXY header has the unknown command ${command}`);
  const length = bytes.readUInt16BE(14);
  const byteLength = binaryFixedBytes + length;
  if (byteLength > proxyHeaderBytesMax) {
    return fault(`its PROXY header has ${byteLength} bytes, and ${proxyHeaderBytesMax} are taken`);
  }
  const family = command === 0 ? unspecified : bytes[13];
  const addressBytes = addressBytesOf.get(family);
  if (addressBytes === undefined) {
    return fault(`its PROXY header has the unknown family 0x${family.toString(16)}`);
  }
  if (length < addressBytes) return fault("its PROXY header is too short for its addresses");
  if (bytes.length < byteLength) return unfinished;
  return { kind: "header", byteLength, source: readSource(bytes, family) };
}

const unspecified = 0x00;
const tcp4 = 0x11;
const tcp6 = 0x21;
/** UDP and Unix sockets are valid and have no address for us: the standard lets them count as unspecified. */
const addressBytesOf: ReadonlyMap<number, number> = new Map([
  [unspecified, 0],
  [tcp4, 12],
  [0x12, 12],
  [tcp6, 36],
  [0x22, 36],
  [0x31, addressBytesMax],
  [0x32, addressBytesMax],
]);

function readSource(bytes: Buffer, family: number): ProxySource | undefined {
  if (family === tcp4) {
    const address = bytes.subarray(16, 20).join(".");
    return nameSource(address, bytes.readUInt16BE(24));
  }
  if (family === tcp6) {
    const groups = Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(16 + 2 * group));
    const address = groups.map((group) => group.toString(16)).join(":");
    return nameSource(address, bytes.readUInt16BE(48));
  }
  return undefined;
}

function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes("%");
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

/** One address has many spellings in IPv6; limits and bans must see one. */
function nameSource(address: string, port: number): ProxySource {
  if (isIPv4(address)) return { address, port };
  return { address: new SocketAddress({ address, family: "ipv6" }).address, port };
}

function fault(why: string): ProxyHeaderResult {
  return { kind: "fault", why };
}
