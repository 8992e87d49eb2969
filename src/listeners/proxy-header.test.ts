/** The vectors follow haproxy's proxy-protocol.txt, sections 2.1 and 2.2. */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { parseProxyHeader, proxyHeaderBytesMax } from "./proxy-header.ts";

const signature = "0d0a0d0a000d0a515549540a";

/** Version 2: the byte of version and command, that of the family, and what follows the length, all in hexadecimal. */
function binary(command: string, family: string, rest: string, length = rest.length / 2): Buffer {
  const size = length.toString(16).padStart(4, "0");
  return Buffer.from(signature + command + family + size + rest, "hex");
}

const tcp4 = "c0000201c633640113881883"; // 192.0.2.1:5000 to 198.51.100.1:6275
const ip6 = "20010db8000000000000000000000001";
const mapped = "00000000000000000000ffffc0000201";
const unixAddresses = "2f72756e".padEnd(432, "0");

interface Source {
  readonly address: string;
  readonly port: number;
}

const understood: readonly (readonly [string, Buffer, Source | undefined])[] = [
  ["v1 TCP4", line("TCP4 192.0.2.1 198.51.100.1 5000 1883"), { address: "192.0.2.1", port: 5000 }],
  ["v1 port 0", line("TCP4 192.0.2.1 192.0.2.2 0 65535"), { address: "192.0.2.1", port: 0 }],
  [
    "v1 TCP6 in another spelling",
    line("TCP6 2001:DB8:0:0::1 ::1 5000 1883"),
    { address: "2001:db8::1", port: 5000 },
  ],
  [
    "v1 at its longest",
    line(`TCP6 ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535`),
    { address: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", port: 65_535 },
  ],
  ["v1 UNKNOWN", line("UNKNOWN"), undefined],
  ["v1 UNKNOWN with more", line(`UNKNOWN ${"x".repeat(90)}`), undefined],
  ["v2 TCP4", binary("21", "11", tcp4), { address: "192.0.2.1", port: 5000 }],
  [
    "v2 TCP4 with more behind the addresses",
    binary("21", "11", `${tcp4}030004deadbeef`),
    { address: "192.0.2.1", port: 5000 },
  ],
  ["v2 TCP6", binary("21", "21", `${ip6}${ip6}13881883`), { address: "2001:db8::1", port: 5000 }],
  [
    "v2 IPv4 in IPv6",
    binary("21", "21", `${mapped}${ip6}13881883`),
    { address: "::ffff:192.0.2.1", port: 5000 },
  ],
  ["v2 LOCAL", binary("20", "00", ""), undefined],
  ["v2 LOCAL with addresses", binary("20", "11", tcp4), undefined],
  ["v2 LOCAL of an unknown family", binary("20", "ff", "0102"), undefined],
  ["v2 unspecified", binary("21", "00", "010203"), undefined],
  ["v2 UDP", binary("21", "12", tcp4), undefined],
  ["v2 Unix", binary("21", "31", unixAddresses), undefined],
  [
    "v2 at its longest",
    binary("21", "11", tcp4.padEnd(2 * (proxyHeaderBytesMax - 16), "0")),
    { address: "192.0.2.1", port: 5000 },
  ],
];

function line(words: string): Buffer {
  return Buffer.from(`PROXY ${words}\r\n`);
}

for (const [name, bytes, source] of understood) {
  test(`reads ${name}, and nothing behind it`, () => {
    for (const behind of ["", "\x10\x0c\x00\x04MQTT", "PROXY "]) {
      const result = parseProxyHeader(Buffer.concat([bytes, Buffer.from(behind)]));
      assert.deepEqual(result, { kind: "header", byteLength: bytes.length, source });
    }
  });

  test(`waits for the rest of ${name}, wherever it is cut`, () => {
    for (let length = 0; length < bytes.length; length += 1) {
      assert.equal(parseProxyHeader(bytes.subarray(0, length)).kind, "unfinished", `${length}`);
    }
  });
}

const refused: readonly (readonly [string, Buffer, RegExp])[] = [
  ["an MQTT client", Buffer.from("100c00044d515454", "hex"), /does not begin with/],
  ["a TLS client", Buffer.from("1603010200", "hex"), /does not begin with/],
  ["a browser", Buffer.from("GET / HTTP/1.1"), /does not begin with/],
  ["a word that begins alike", Buffer.from("PROXX"), /does not begin with/],
  ["a signature that ends otherwise", Buffer.from("0d0a0d0a000d0a515549540b", "hex"), /begin/],
  ["small letters", Buffer.from("proxy TCP4 "), /does not begin with/],
  ["a line without end", Buffer.from(`PROXY ${"x".repeat(101)}`), /longer than 107/],
  ["a line of 108 bytes", line(`UNKNOWN ${"x".repeat(92)}`), /longer than 107/],
  ["an empty line", line(""), /has not the form/],
  ["UDP in text", line("UDP4 192.0.2.1 192.0.2.2 1 2"), /has not the form/],
  ["too few words", line("TCP4 192.0.2.1 192.0.2.2 1"), /has not the form/],
  ["too many words", line("TCP4 192.0.2.1 192.0.2.2 1 2 3"), /has not the form/],
  ["two blanks", line("TCP4  192.0.2.1 192.0.2.2 1 2"), /has not the form/],
  ["a tab", line("TCP4 192.0.2.1\t192.0.2.2 1 2"), /has not the form/],
  ["a name", line("TCP4 localhost 192.0.2.2 1 2"), /has not the form/],
  ["a number with a zero ahead", line("TCP4 192.0.2.01 192.0.2.2 1 2"), /has not the form/],
  ["an address of the other family", line("TCP4 ::1 ::1 1 2"), /has not the form/],
  ["IPv4 as TCP6", line("TCP6 192.0.2.1 192.0.2.2 1 2"), /has not the form/],
  ["a zone", line("TCP6 fe80::1%eth0 ::1 1 2"), /has not the form/],
  ["a wrong destination", line("TCP4 192.0.2.1 x 1 2"), /has not the form/],
  ["port 65536", line("TCP4 192.0.2.1 192.0.2.2 65536 2"), /has not the form/],
  ["a port with a zero ahead", line("TCP4 192.0.2.1 192.0.2.2 01 2"), /has not the form/],
  ["a negative port", line("TCP4 192.0.2.1 192.0.2.2 -1 2"), /has not the form/],
  ["version 1 in binary", binary("11", "11", tcp4), /of version 1/],
  ["version 3", binary("31", "11", tcp4), /of version 3/],
  ["command 2", binary("22", "11", tcp4), /unknown command 2/],
  ["an unknown family", binary("21", "41", tcp4), /unknown family 0x41/],
  ["an unknown protocol", binary("21", "13", tcp4), /unknown family 0x13/],
  ["half an address", binary("21", "11", "c0000201"), /too short/],
  ["IPv6 of the length of IPv4", binary("21", "21", tcp4), /too short/],
  ["a length beyond the bound", binary("21", "11", "", proxyHeaderBytesMax - 15), /are taken/],
  ["the greatest length", binary("21", "11", "", 65_535), /65551 bytes, and 4328 are taken/],
];

for (const [name, bytes, why] of refused) {
  test(`refuses ${name}, and does not wait for more`, () => {
    const result = parseProxyHeader(bytes);
    assert.equal(result.kind, "fault");
    assert.match(result.why, why);
  });
}

test("whatever the bytes, it answers, and asks for no more than its bound", (context) => {
  const seed = randomInt(2 ** 31);
  context.diagnostic(`seed ${seed}`);
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let round = 0; round < 5000; round += 1) {
    const [, sample] = understood[next(understood.length)];
    const bytes = Buffer.concat([sample, Buffer.alloc(next(5000))]);
    for (let change = next(4); change > 0; change -= 1) bytes[next(60)] = next(256);
    const result = parseProxyHeader(bytes);
    if (result.kind === "unfinished") assert.ok(bytes.length < proxyHeaderBytesMax);
    if (result.kind === "header") assert.ok(result.byteLength <= proxyHeaderBytesMax);
  }
});
