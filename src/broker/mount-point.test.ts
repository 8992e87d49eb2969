import assert from "node:assert/strict";
import { test } from "node:test";
import { MountPoint } from "./mount-point.ts";

const site = new MountPoint("site-1/");

test("a topic name goes out and comes back; the broker's own are the same on both sides", () => {
  const names = [
    ["a", "site-1/a"],
    ["/", "site-1//"],
    ["site-1/a", "site-1/site-1/a"],
    ["$SYSTEM/x", "site-1/$SYSTEM/x"],
    ["$sys/x", "site-1/$sys/x"],
    ["$SYS", "$SYS"],
    ["$SYS/broker/uptime", "$SYS/broker/uptime"],
    ["$tstack/gaps/c", "$tstack/gaps/c"],
  ];
  for (const [inside, outside] of names) {
    assert.equal(site.toOutside(inside), outside);
    assert.equal(site.toInside(outside), inside);
  }
});

test("what is not below the mount point, or would pass for the broker's, has no name inside", () => {
  for (const name of [
    "a",
    "site-1",
    "site-1/",
    "site-2/a",
    "Site-1/a",
    "site-1/$SYS/x",
    "/site-1/a",
  ]) {
    assert.equal(site.toInside(name), undefined, name);
  }
});

test("a filter goes out; what is not allowed stays so", () => {
  const filters = [
    ["#", "site-1/#"],
    ["+", "site-1/+"],
    ["$share/group/+/b", "$share/group/site-1/+/b"],
    ["$share/group/$share/group/a", "$share/group/site-1/$share/group/a"],
    ["$SYS/#", "$SYS/#"],
    ["$share/group/$SYS/#", "$share/group/$SYS/#"],
    ["", ""],
    ["a#", "a#"],
    ["$SYS#", "$SYS#"],
    ["$share/group/", "$share/group/"],
    ["$share/group", "$share/group"],
    ["$share//a", "$share//a"],
    ["$share/+/a", "$share/+/a"],
  ];
  for (const [inside, outside] of filters) assert.equal(site.filterToOutside(inside), outside);
});

test("what is too long outside is not taken", () => {
  const room = 65_535 - 7;
  assert.equal(site.toOutside("é".repeat(room / 2))?.length, 7 + room / 2);
  assert.equal(site.toOutside("x".repeat(room + 1)), undefined);
  assert.equal(site.filterToOutside("x".repeat(room)).length, 65_535);
  assert.equal(site.filterToOutside("x".repeat(room + 1)), "");
  assert.equal(site.filterToOutside(`$share/g/${"x".repeat(room - 9)}`).length, 65_535);
  assert.equal(site.filterToOutside(`$share/g/${"x".repeat(room - 8)}`), "");
});
