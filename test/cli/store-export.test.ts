/** An export of a real tserve with everything in it that a broker keeps, and its way back. */
import assert from "node:assert/strict";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type ConnectPacket,
  PacketType,
  ProtocolVersion,
  type QoS,
} from "../../src/codec/index.ts";
import { publishPacket, RawClient } from "../conformance/harness/index.ts";
import { RunningProgram } from "./programs.ts";
import { StoreFolder } from "./store-folder.ts";
import { ServeProcess } from "./tserve-process.ts";

const { v3_1_1, v5 } = ProtocolVersion;
const place = new StoreFolder();
const data = place.join("data");
const state = {} as { server: ServeProcess; exported: string[] };

/** What was not found has no fields. */
const none: Record = { kind: "none" };

type Record = { readonly kind: string; readonly [field: string]: unknown };

async function open(
  clientIdentifier: string,
  version: ProtocolVersion = v5,
  fields: Partial<ConnectPacket> = {},
): Promise<RawClient> {
  const client = await RawClient.open(`mqtt://127.0.0.1:${state.server.port}`, version);
  const properties = version === v5 ? { sessionExpiryInterval: 3600 } : {};
  await client.connect({ clientIdentifier, cleanStart: false, properties, ...fields });
  return client;
}

const everyProperty = {
  contentType: "text/plain",
  messageExpiryInterval: 86_400,
  responseTopic: "answers/here",
  correlationData: Buffer.from([1, 0xfe]),
  payloadFormatIndicator: 1,
  userProperties: [
    ["unit", "°C"],
    ["unit", "K"],
  ] as [string, string][],
} as const;

const will = {
  topic: "wills/late",
  payload: Buffer.from([0xff, 0]),
  qos: 1,
  retain: true,
  properties: { willDelayInterval: 600, contentType: "x" },
} as const;

/** That a connection has ended is on disk a moment later. */
async function exportOnceAllAreAway(): Promise<string[]> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const lines = await place.exportFrom("--data", data);
    if (!lines.some((line) => line.includes('"isConnected":true'))) return lines;
    await sleep(20);
  }
  assert.fail("somebody is still connected");
}

/** One of each thing that a broker keeps. */
async function fill(): Promise<void> {
  const old = await open("old", v3_1_1);
  await old.subscribe("all/#", { qos: 1 });
  const member = await open("member");
  await member.subscribe("$share/group/all/#");
  const willed = await open("willed", v5, { will });
  const options = { noLocal: true, retainAsPublished: true, retainHandling: 1 } as const;
  willed.send({
    type: PacketType.subscribe,
    packetIdentifier: 1,
    subscriptions: [{ filter: "all/#", qos: 2, ...options }],
    properties: { subscriptionIdentifiers: [7] },
  });
  await willed.expectPacket(PacketType.suback);
  for (const client of [old, member, willed]) client.destroy();
  await exportOnceAllAreAway();

  const stuck = await open("stuck");
  await stuck.subscribe("stuck");
  const publisher = await open("publisher");
  const publish = async (topic: string, payload: string | Buffer, qos: QoS, fields = {}) => {
    publisher.send(publishPacket(topic, payload, { qos, packetIdentifier: 1, ...fields }));
    if (qos === 1) return await publisher.expectPacket(PacketType.puback);
    return await publisher.expectPacket(PacketType.pubrec);
  };
  await publish("all/text", "21.5 °C", 1, { retain: true, properties: everyProperty });
  await publish("all/lines", "one\ntwo\u2028three", 1, { retain: true });
  await publish("stuck", "under way", 1);
  await stuck.expectPacket(PacketType.publish);
  // Stays received: its PUBREL never comes.
  await publish("stuck", Buffer.from([0x80, 0]), 2, { packetIdentifier: 65_535 });
  const { packetIdentifier = 0 } = await stuck.expectPacket(PacketType.publish);
  stuck.send({ type: PacketType.pubrec, packetIdentifier, reasonCode: 0, properties: {} });
  // Stays released: its PUBCOMP never comes.
  await stuck.expectPacket(PacketType.pubrel);
  for (const client of [stuck, publisher]) client.destroy();
}

before(async () => {
  state.server = await ServeProcess.start({ data, args: ["--log-level", "debug"] });
  await fill();
  state.exported = await exportOnceAllAreAway();
});
after(async () => {
  await state.server.stop();
  place.remove();
});

function recordsOf(kind: string): Record[] {
  return state.exported
    .map((line) => JSON.parse(line) as Record)
    .filter((record) => record.kind === kind);
}

test("an export of a running broker has everything in it, in words", () => {
  const sessions = recordsOf("session").map(({ clientIdentifier }) => clientIdentifier);
  assert.deepEqual(sessions.sort(), ["member", "old", "publisher", "stuck", "willed"]);

  const late = recordsOf("session").find((session) => session.clientIdentifier === "willed");
  const lateWill = late?.will as Record | undefined;
  assert.equal(lateWill?.delaySeconds, 600);
  const { topic, payload } = (lateWill?.message ?? none) as Record;
  assert.deepEqual([topic, payload], ["wills/late", { base64: "/wA=" }]);

  const subscribed = recordsOf("subscription").find(({ identifier }) => identifier === 7);
  const { qos, noLocal, retainAsPublished, retainHandling, filter } = subscribed ?? none;
  assert.deepEqual(
    [filter, qos, noLocal, retainAsPublished, retainHandling],
    ["all/#", 2, true, true, 1],
  );

  assert.deepEqual(
    recordsOf("shared").map(({ group, filter: shared }) => [group, shared]),
    [["group", "all/#"]],
  );
  assert.deepEqual(
    recordsOf("received").map(({ packetIdentifier }) => packetIdentifier),
    [65_535],
  );
  assert.deepEqual(
    recordsOf("retained").map((retained) => [retained.topic, retained.payload]),
    [
      ["all/text", "21.5 °C"],
      ["all/lines", "one\ntwo\u2028three"],
    ],
  );
  const [{ properties }] = recordsOf("message");
  const correlationData = { base64: "Af4=" };
  assert.deepEqual(properties, { ...everyProperty, correlationData });

  const queued = recordsOf("queued").map((record) => [record.for, record.packetIdentifier ?? 0]);
  const waiting = ["old", "willed", "$share/group/all/#"].flatMap((name) => [
    [name, 0],
    [name, 0],
  ]);
  const underWay = [
    ["stuck", 1],
    ["stuck", 2],
  ];
  assert.deepEqual(queued.toSorted(), [...waiting, ...underWay].toSorted());
  const releases = recordsOf("queued").filter(({ message }) => message === undefined);
  assert.equal(releases.length, 1);
});

test("what is exported, imported and exported is the same", async () => {
  const said = await place.run("import", place.join("export.jsonl"), "--data", place.join("new"));
  assert.match(said, /new: 5 sessions, 4 subscriptions, 7 queued messages, 2 retained messages\n$/);
  assert.deepEqual(await place.exportFrom("--data", place.join("new")), state.exported);
});

test("a backup exports as the broker does", async () => {
  const file = place.join("backup.db");
  await place.run("backup", file, "--data", data);
  assert.deepEqual(await place.exportFrom("--from", file), state.exported);
});

test("a broker goes on with what was imported: messages, properties, identifiers, PUBREL", async () => {
  await place.run("import", place.join("export.jsonl"), "--data", place.join("again"));
  await state.server.stop();
  state.server = await ServeProcess.start({ data: place.join("again") });

  const stuck = await open("stuck");
  assert.equal(stuck.connack?.sessionPresent, true);
  const resent = [await stuck.expectAny(), await stuck.expectAny()];
  const publish = resent.find((packet) => packet.type === PacketType.publish);
  assert.deepEqual([publish?.payload.toString(), publish?.dup], ["under way", true]);
  const pubrel = resent.find((packet) => packet.type === PacketType.pubrel);
  assert.equal(pubrel?.packetIdentifier, 2);

  const willed = await open("willed");
  const { properties, qos } = await willed.expectPacket(PacketType.publish);
  const { messageExpiryInterval = 0, ...rest } = properties;
  const { messageExpiryInterval: asked, ...expected } = everyProperty;
  assert.deepEqual({ ...rest }, { ...expected, subscriptionIdentifiers: [7] });
  assert.ok(messageExpiryInterval > asked - 100 && messageExpiryInterval <= asked);
  assert.equal(qos, 1);
  for (const client of [stuck, willed]) client.destroy();
});

test("an export without a file goes to stdout, and who reads only its beginning is no mistake", async () => {
  const tstack = path.join(import.meta.dirname, "../../src/cli/tstack.ts");
  const command = `${process.execPath} ${tstack} export --from ${place.join("backup.db")}`;
  const all = await new RunningProgram("sh", ["-c", command], { stdin: "" }).ended;
  assert.deepEqual([all.code, all.stderr], [0, ""]);
  assert.equal(all.stdout.split("\n").length, state.exported.length + 2);
  const head = await new RunningProgram("sh", ["-c", `${command} | head -1`], { stdin: "" }).ended;
  assert.equal(head.stderr, "");
  assert.equal(JSON.parse(head.stdout).kind, "tstack");
});
