import assert from "node:assert/strict";
import { test } from "node:test";
import type { IPublishPacket, Packet } from "mqtt";
import { UnacknowledgedStore } from "./unacknowledged-store.ts";

const ignore = () => undefined;

function fill(): UnacknowledgedStore {
  const store = new UnacknowledgedStore();
  for (const messageId of [7, 3, 9, 5]) {
    const base = { cmd: "publish", topic: "a", payload: "", qos: 2, dup: false } as const;
    const publish: IPublishPacket = { ...base, retain: false, messageId };
    store.put(publish, ignore);
  }
  store.put({ cmd: "pubrel", messageId: 3 }, ignore);
  store.del({ messageId: 9 }, ignore);
  return store;
}

async function resent(store: UnacknowledgedStore): Promise<string[]> {
  const packets: string[] = [];
  for await (const packet of store.createStream() as AsyncIterable<Packet>) {
    const dup = packet.cmd === "publish" && packet.dup ? " dup" : "";
    packets.push(`${packet.cmd} ${packet.messageId}${dup}`);
  }
  return packets;
}

test("5.0 [MQTT-3.3.1-1] [MQTT-4.4.0-1] a resumed session gets DUP and PUBREL, in the order of sending", async () => {
  const store = fill();
  store.sessionResumed = true;
  assert.deepEqual(await resent(store), ["publish 7 dup", "pubrel 3", "publish 5 dup"]);
});

test("a new session gets every message anew, also the released one", async () => {
  const store = fill();
  assert.deepEqual(await resent(store), ["publish 7", "publish 3", "publish 5"]);
});
