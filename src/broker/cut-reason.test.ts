import assert from "node:assert/strict";
import { test } from "node:test";
import { type Packet, PacketType } from "../codec/index.ts";
import { cutReason } from "./cut-reason.ts";

function disconnectFor(reasonString: string): Packet {
  return { type: PacketType.disconnect, reasonCode: 0x82, properties: { reasonString } };
}

test("a long reason string is cut between two characters, a short one and other packets are left alone", () => {
  const short = disconnectFor("a".repeat(256));
  assert.equal(cutReason(short), short);
  const pingresp = { type: PacketType.pingresp } as const;
  assert.equal(cutReason(pingresp), pingresp);
  for (const text of ["a".repeat(70_000), "😀".repeat(40_000), `a${"😀".repeat(40_000)}`]) {
    const cut = cutReason(disconnectFor(text));
    assert.ok(cut.type === PacketType.disconnect);
    const { reasonString = "" } = cut.properties;
    assert.ok(reasonString.length <= 256 && reasonString.endsWith("..."), reasonString);
    assert.ok(text.startsWith(reasonString.slice(0, -3)), reasonString);
  }
});
