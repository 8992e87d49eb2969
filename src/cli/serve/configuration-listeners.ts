/**
 * The listeners of a configuration whose shape is right, complete: with what each takes from the keys of all. What would make
 * a listener other than its author meant is a mistake here.
 */
import { isIP } from "node:net";
import type { ListenerSettings } from "../../broker/index.ts";
import {
  isLoopbackUrl,
  type ProxyProtocolSettings,
  parseListenUrl,
  type TlsSettings,
} from "../../listeners/index.ts";
import { type AnonymousAccess, readAnonymous } from "./configuration-anonymous.ts";
import { checkFile } from "./configuration-authentication.ts";
import type { Findings } from "./configuration-mistake.ts";
import type { ConfigurationPath } from "./configuration-path.ts";
import type { ConfigurationShape } from "./configuration-schema.ts";
import {
  type LinkName,
  type ListenerShape,
  linkNames,
  type TlsShape,
} from "./configuration-schema-listen.ts";

/** What is left is for the topics of clients; the broker bears no more either. */
const mountPointBytesMax = 255;

export interface ListenerConfiguration
  extends Pick<ListenerSettings, "limits" | "mountPoint" | "refusedPublish"> {
  readonly url: string;
  readonly tls: TlsSettings | undefined;
  readonly proxyProtocol: ProxyProtocolSettings | undefined;
  /** Who is asked who a client is, in this order. */
  readonly chain: readonly LinkName[];
  readonly anonymous: AnonymousAccess;
  /** A loopback address or a Unix socket, and no proxy before it that brings others. */
  readonly isForThisMachine: boolean;
}

export function readListeners(
  all: ConfigurationShape,
  findings: Findings,
): ListenerConfiguration[] {
  const shapes = all.listen.map((entry) => (typeof entry === "string" ? { url: entry } : entry));
  const sharedTls = all.tls && readTls(all.tls, ["tls"], findings);
  const listeners = shapes.map((shape: ListenerShape, index) => {
    const path = ["listen", index];
    checkUrl(shape.url, typeof all.listen[index] === "string" ? path : [...path, "url"], findings);
    checkProxyProtocol(shape.proxyProtocol, path, findings);
    checkMountPoint(shape.mountPoint, [...path, "mountPoint"], findings);
    const tls = chooseTls(shape, sharedTls, path, findings);
    return {
      url: shape.url,
      tls,
      proxyProtocol: shape.proxyProtocol,
      mountPoint: shape.mountPoint,
      limits: shape.limits,
      refusedPublish: shape.refusedPublish ?? all.refusedPublish,
      chain: readChain(all, shape, { path, tls }, findings),
      isForThisMachine: isForThisMachine(shape),
    };
  });
  const circumstances = listeners.map(({ chain, isForThisMachine }) => ({
    isInChain: chain.includes("anonymous"),
    knowsOthers: knowsOthers(chain),
    isForThisMachine,
  }));
  const accesses = readAnonymous(all, shapes, circumstances, findings);
  return listeners.map((listener, index) => ({ ...listener, anonymous: accesses[index] }));
}

/** Besides users and anonymous clients. */
export function knowsOthers(chain: readonly LinkName[]): boolean {
  return chain.some((name) => name !== "users" && name !== "anonymous");
}

function checkUrl(url: string, path: ConfigurationPath, { mistakes }: Findings): void {
  try {
    parseListenUrl(url);
  } catch (error) {
    mistakes.push({ path, message: error instanceof Error ? error.message : String(error) });
  }
}

function isForThisMachine({ url, proxyProtocol }: ListenerShape): boolean {
  try {
    return proxyProtocol === undefined && isLoopbackUrl(parseListenUrl(url));
  } catch {
    return false; // a mistake, and named already
  }
}

function chooseTls(
  { url, tls }: ListenerShape,
  shared: TlsSettings | undefined,
  path: ConfigurationPath,
  findings: Findings,
): TlsSettings | undefined {
  const isEncrypted = /^(mqtts|wss):/i.test(url);
  const own = tls && readTls(tls, [...path, "tls"], findings);
  if (!isEncrypted) {
    const message = "is for mqtts:// and wss:// only, and this listener is neither";
    if (own !== undefined) findings.mistakes.push({ path: [...path, "tls"], message });
    return undefined;
  }
  if ((own ?? shared) === undefined) {
    const message =
      "needs tls with cert and key (or --cert and --key); `tstack cert` makes them for a first set-up";
    findings.mistakes.push({ path, message });
  }
  return own ?? shared;
}

function readTls(shape: TlsShape, path: ConfigurationPath, findings: Findings): TlsSettings {
  const { mistakes } = findings;
  const { cert, key, more = [], ca, crl, versionMin } = shape;
  const clientCertificates = shape.clientCertificates ?? (ca === undefined ? "none" : "required");
  if (clientCertificates !== "none" && ca === undefined) {
    const message = "needs ca: the certificates of those who may issue clients' certificates";
    mistakes.push({ path: [...path, "clientCertificates"], message });
  }
  for (const name of ["ca", "crl"] as const) {
    if (shape[name] === undefined || clientCertificates !== "none") continue;
    const message = "has no effect while clientCertificates is none: make it optional or required";
    mistakes.push({ path: [...path, name], message });
  }
  for (const name of ["cert", "key", "ca", "crl"] as const) {
    checkFile(shape[name], [...path, name], findings);
  }
  for (const [index, pair] of more.entries()) {
    checkFile(pair.cert, [...path, "more", index, "cert"], findings);
    checkFile(pair.key, [...path, "more", index, "key"], findings);
  }
  const certificates = [{ cert, key }, ...more].map(({ cert: certFile, key: keyFile }) => ({
    certFile,
    keyFile,
  }));
  return { certificates, caFile: ca, crlFile: crl, clientCertificates, versionMin };
}

function readChain(
  all: ConfigurationShape,
  shape: ListenerShape,
  { path, tls }: { path: ConfigurationPath; tls: TlsSettings | undefined },
  { mistakes }: Findings,
): readonly LinkName[] {
  const { chain: shared, jwt, http } = all.authentication;
  const works: Record<LinkName, boolean> = {
    users: true,
    certificate: tls !== undefined && tls.clientCertificates !== "none",
    jwt: jwt !== undefined,
    http: http !== undefined,
    anonymous: true,
  };
  const remedies: Partial<Record<LinkName, string>> = {
    certificate: "this listener asks for no client certificates (tls.clientCertificates)",
    jwt: "there is no authentication.jwt",
    http: "there is no authentication.http",
  };
  const named = shape.authentication ?? shared ?? linkNames;
  for (const [index, name] of (shape.authentication ?? []).entries()) {
    const at = [...path, "authentication", index];
    if (!works[name]) mistakes.push({ path: at, message: `cannot be ${name}: ${remedies[name]}` });
  }
  return named.filter((name) => works[name]);
}

/** `undefined` for one address or subnet. */
function findMistakeInSubnet(text: string): string | undefined {
  const [address, digits, ...rest] = text.split("/");
  const family = isIP(address);
  const bitsMax = family === 6 ? 128 : 32;
  const isSubnet = digits === undefined || (/^\d{1,3}$/.test(digits) && Number(digits) <= bitsMax);
  if (family !== 0 && isSubnet && rest.length === 0) return undefined;
  return "is no address or subnet, such as 192.0.2.7, 10.0.0.0/8 or fd00::/8";
}

function checkProxyProtocol(
  shape: ListenerShape["proxyProtocol"],
  path: ConfigurationPath,
  { mistakes }: Findings,
): void {
  for (const [index, text] of (shape?.from ?? []).entries()) {
    const message = findMistakeInSubnet(text);
    if (message !== undefined) {
      mistakes.push({ path: [...path, "proxyProtocol", "from", index], message });
    }
  }
}

/** It becomes the beginning of topic names and of filters, so it must be the beginning of both. */
function checkMountPoint(
  mountPoint: string | undefined,
  path: ConfigurationPath,
  { mistakes }: Findings,
): void {
  if (mountPoint === undefined) return;
  const isPrefix = mountPoint.endsWith("/") && mountPoint.isWellFormed();
  const isShort = Buffer.byteLength(mountPoint) <= mountPointBytesMax;
  if (isPrefix && isShort && !/^\$|[+#\0]/.test(mountPoint)) return;
  const message = `must be the beginning of topics, as site-1/: it ends with /, has no + or #, no $ in front, and ${mountPointBytesMax} bytes at most`;
  mistakes.push({ path, message });
}
