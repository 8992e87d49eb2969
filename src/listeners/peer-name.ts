/** How a peer is named in the log: `127.0.0.1:50123`, `[::1]:50123`, or `unknown` when it has left already. */
import type { Socket } from "node:net";

export function namePeer(socket: Socket): string {
  const { remoteAddress: address, remotePort: port } = socket;
  return address === undefined || port === undefined ? "unknown" : nameAddress(address, port);
}

export function nameAddress(address: string, port: number): string {
  if (!address.includes(":")) return `${address}:${port}`;
  // A listener for all addresses sees IPv4 peers in the IPv6 form; people know them by the IPv4 one.
  if (address.startsWith("::ffff:") && address.includes(".")) return `${address.slice(7)}:${port}`;
  return `[${address}]:${port}`;
}
