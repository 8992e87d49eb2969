/** Which peers are one: whoever counts connections, requests or failures of an address counts by these keys. */

/**
 * What is counted together: `192.0.2.7`, or `2001:db8:0:1` for all of that /64. Undefined for loopback addresses, where
 * a proxy or bridge may stand for everyone, and for whatever is no address, such as `unix`.
 */
export function addressKey(remoteAddress: string): string | undefined {
  if (remoteAddress.startsWith("[")) {
    const groups = firstGroups(remoteAddress.slice(1, remoteAddress.indexOf("]")));
    return groups;
  }
  const [, address] = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(remoteAddress) ?? [];
  return address?.startsWith("127.") ? undefined : address;
}

/** The first four of the eight groups of an IPv6 address; undefined for `::1`. */
function firstGroups(address: string): string | undefined {
  if (address === "::1") return undefined;
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  if (tail === undefined || before.length >= 4) return before.slice(0, 4).join(":");
  const after = tail === "" ? [] : tail.split(":");
  // The last two groups may be written as an IPv4 address.
  const afterLength = after.length + (tail.includes(".") ? 1 : 0);
  const zeros = Array.from({ length: 8 - before.length - afterLength }, () => "0");
  return [...before, ...zeros, ...after].slice(0, 4).join(":");
}
