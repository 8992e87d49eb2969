/**
 * The step that reads the PROXY header of a connection. Whoever may send one could claim any address, so only peers in
 * `from` are heard, and they must send it: without, a client behind the proxy would bear the proxy's address. Nothing is
 * believed of a header but the address of the client.
 */
import { BlockList, isIP } from "node:net";
import { type Log, TstackError } from "../base/index.ts";
import type { Arrival } from "./arrivals.ts";
import { nameAddress } from "./peer-name.ts";
import { parseProxyHeader } from "./proxy-header.ts";
import { throttle } from "./throttled-log.ts";

/** A listener to which proxies hand on the connections of clients, each with a PROXY header. */
export interface ProxyProtocolSettings {
  /** Addresses and subnets of the proxies: `10.0.0.7`, `10.1.0.0/16`, `fd00::/8`. Nobody else may connect. */
  readonly from: readonly string[];
}

/** What a connection passes on its way to the broker; a step hands on an arrival or ends it. */
export type Step = (arrival: Arrival, next: (arrival: Arrival) => void) => void;

const noBytes = Buffer.alloc(0);

/** @throws TstackError CONFIGURATION_INVALID */
export function newProxyStep(settings: ProxyProtocolSettings, listener: string, log: Log): Step {
  const proxies = readProxies(settings);
  const stranger = throttle(log, {
    level: "warn",
    fields: { listener },
    message: "a connection was refused that comes from none of the proxies in proxyProtocol.from",
  });
  return (arrival, next) => {
    const { remoteAddress = "" } = arrival.accepted;
    if (isAmong(proxies, remoteAddress)) return readHeader(arrival, next);
    stranger({ remote: arrival.remoteAddress });
    arrival.destroy();
  };
}

/** @throws TstackError CONFIGURATION_INVALID */
function readProxies({ from }: ProxyProtocolSettings): BlockList {
  const proxies = new BlockList();
  for (const entry of from) {
    const match = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(entry);
    const [, address, bits] = match ?? [entry, "", undefined];
    const family = isIP(address);
    const bitsMax = family === 4 ? 32 : 128;
    if (family === 0 || Number(bits ?? 0) > bitsMax) {
      throw new TstackError(
        "CONFIGURATION_INVALID",
        `"${entry}" in proxyProtocol.from is neither an address nor a subnet: write 10.0.0.7 or 10.1.0.0/16`,
      );
    }
    proxies.addSubnet(address, Number(bits ?? bitsMax), family === 4 ? "ipv4" : "ipv6");
  }
  if (from.length === 0) {
    throw new TstackError(
      "CONFIGURATION_INVALID",
      "proxyProtocol.from is empty, so nobody could connect: name the addresses of your proxies",
    );
  }
  return proxies;
}

function isAmong(proxies: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && proxies.check(address, family === 4 ? "ipv4" : "ipv6");
}

/**
 * The client's first byte is awaited, so that health checks are no connections for the broker. The socket is paused again
 * when `next` gets it, with the bytes behind the header still to be read.
 */
function readHeader(arrival: Arrival, next: (arrival: Arrival) => void): void {
  const { socket } = arrival;
  let bytes: Buffer = noBytes;
  const onEnd = () => arrival.goneBeforeTime();
  const onData = (chunk: Buffer) => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const result = parseProxyHeader(bytes);
    if (result.kind === "unfinished") return;
    if (result.kind === "fault") return arrival.refuse(result.why);
    const { source, byteLength } = result;
    arrival.proxyBytes = byteLength;
    if (bytes.length === byteLength) return;
    socket.off("data", onData).off("end", onEnd).pause();
    if (source !== undefined) arrival.remoteAddress = nameAddress(source.address, source.port);
    socket.unshift(bytes.subarray(byteLength));
    next(arrival);
  };
  socket.on("data", onData).on("end", onEnd).resume();
}
