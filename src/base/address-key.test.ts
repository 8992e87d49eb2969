import assert from "node:assert/strict";
import { test } from "node:test";
import { addressKey } from "./address-key.ts";

test("an IPv4 address and the /64 of an IPv6 address are counted together", () => {
  for (const [remoteAddress, key] of [
    ["192.0.2.7:50123", "192.0.2.7"],
    ["[2001:db8:1:2:3:4:5:6]:1", "2001:db8:1:2"],
    ["[2001:db8:1:2::1]:50123", "2001:db8:1:2"],
    ["[2001:db8::1]:50123", "2001:db8:0:0"],
    ["[2001:db8::3:4:5:6:7]:1", "2001:db8:0:3"],
    ["[2001::3:4:5:192.0.2.7]:1", "2001:0:0:3"],
    ["[::2]:1", "0:0:0:0"],
    ["[fe80::1%eth0]:1", "fe80:0:0:0"],
    ["[64:ff9b::]:1", "64:ff9b:0:0"],
  ]) {
    assert.equal(addressKey(remoteAddress), key, remoteAddress);
  }
});

test("loopback addresses, Unix sockets and what is no address have no limits", () => {
  for (const name of ["127.0.0.1:1", "127.1.2.3:50123", "[::1]:50123", "unix", "unknown", "memory"])
    assert.equal(addressKey(name), undefined, name);
});
