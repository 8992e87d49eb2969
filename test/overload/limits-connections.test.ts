/** What happens at each limit of connections and of CONNECT, in $SYS and in the log. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectReturnCode, ReasonCode } from "../../src/base/index.ts";
import { ProtocolVersion } from "../../src/codec/index.ts";
import { connackOf, endOf, LimitedBroker } from "./limited-broker.ts";

const { v3_1_1 } = ProtocolVersion;

test("connectionsMax: the next CONNECT is refused, until somebody leaves", async () => {
  const broker = new LimitedBroker({ connectionsMax: 2 });
  const first = await broker.connect("first");
  await broker.connect("second");
  assert.equal(await broker.connectCode("third"), ReasonCode.serverBusy);
  assert.equal(
    await broker.connectCode("fourth", { protocolVersion: v3_1_1 }),
    ConnectReturnCode.serverUnavailable,
  );
  first.lose();
  assert.equal(await broker.connectCode("fifth"), ReasonCode.success);
  await broker.expectHits("connectionsMax", 2);
});

test("connectionsPerAddressMax: its own next CONNECT is refused, nobody else's", async () => {
  const broker = new LimitedBroker({ connectionsPerAddressMax: 2 });
  const open = [broker.open("192.0.2.1:1"), broker.open("192.0.2.1:2")];
  const connectFrom = (remoteAddress: string, protocolVersion?: ProtocolVersion) =>
    broker.connectCode(`from ${remoteAddress}`, {
      remoteAddress,
      ...(protocolVersion && { protocolVersion }),
    });
  assert.equal(await connectFrom("192.0.2.1:3"), ReasonCode.quotaExceeded);
  assert.equal(await connectFrom("192.0.2.1:4", v3_1_1), ConnectReturnCode.serverUnavailable);
  assert.equal(await connectFrom("192.0.2.2:1"), ReasonCode.success);
  for (let port = 1; port < 10; port++) {
    assert.equal(await connectFrom(`127.0.0.1:${port}`), ReasonCode.success);
    assert.equal(await connectFrom("unix"), ReasonCode.success);
  }
  open[0].lose();
  assert.equal(await connectFrom("192.0.2.1:5"), ReasonCode.success);
  await broker.expectHits("connectionsPerAddressMax", 2);
});

test("connectionsPerAddressPerSecondMax: beyond ten seconds' worth CONNECT is refused before any password is checked", async () => {
  let asked = 0;
  const authenticate = () => {
    asked++;
    return { allowed: true, userName: undefined, rule: "anyone" } as const;
  };
  const broker = new LimitedBroker(
    { connectionsPerAddressPerSecondMax: 2 },
    { authenticator: { authenticate } },
  );
  const connect = (protocolVersion = ProtocolVersion.v5 as ProtocolVersion) =>
    broker.connectCode("storm", { remoteAddress: "[2001:db8::1]:50123", protocolVersion });
  for (let count = 0; count < 20; count++) assert.equal(await connect(), ReasonCode.success);
  assert.equal(await connect(), ReasonCode.connectionRateExceeded);
  assert.equal(await connect(v3_1_1), ConnectReturnCode.serverUnavailable);
  assert.equal(asked, 20);
  await broker.expectHits("connectionsPerAddressPerSecondMax", 2); // and a second goes by
  assert.equal(await connect(), ReasonCode.success);
  assert.equal(await connect(), ReasonCode.success);
  assert.equal(await connect(), ReasonCode.connectionRateExceeded);
});

test("a refusal at a limit of connections writes no line of its own", async () => {
  const broker = new LimitedBroker({ connectionsMax: 1 });
  await broker.connect("first");
  const notes = broker.notes.length;
  for (let count = 0; count < 100; count++) await broker.connectCode(`${count}`);
  assert.equal(broker.notes.length, notes);
  await broker.expectHits("connectionsMax", 100);
});

test("connectSecondsMax: who sends nothing, or half a CONNECT, is closed", async () => {
  const broker = new LimitedBroker({ connectSecondsMax: 3 });
  const silent = broker.open();
  const half = broker.open();
  half.sendBytes(Buffer.from("10100004", "hex"));
  broker.clock.advance(2999);
  assert.ok(!silent.isEnded && !half.isEnded);
  broker.clock.advance(1);
  assert.ok(silent.isEnded && half.isEnded);
  await broker.expectHits("connectSecondsMax", 2);
});

test("packetSecondsMax: a packet that does not come to its end ends its connection", async () => {
  const broker = new LimitedBroker({ packetSecondsMax: 5 });
  const client = await broker.connect("slow");
  client.sendBytes(Buffer.from("3064", "hex"));
  for (let second = 0; second < 6; second++) {
    client.sendBytes(Buffer.from("00", "hex"));
    broker.clock.advanceSeconds(1);
  }
  assert.equal(endOf(client), ReasonCode.unspecifiedError);
  await broker.expectHits("packetSecondsMax", 1);
});

test("endSecondsMax: a connection that is cut off because it did not close in time is counted", async () => {
  const broker = new LimitedBroker({ endSecondsMax: 2, connectSecondsMax: 1 });
  const [prompt, stubborn] = [broker.open(), broker.open()];
  broker.clock.advanceSeconds(1);
  prompt.lose();
  broker.clock.advanceSeconds(2); // the transport's own timer cuts it off
  stubborn.lose();
  await broker.expectHits("endSecondsMax", 1);
});

test("keepAliveSecondsMax: a longer one is cut, and the client told; counted, and no news", async () => {
  const broker = new LimitedBroker({ keepAliveSecondsMax: 60 });
  const client = broker.open();
  client.connect("long", { keepAliveSeconds: 100 });
  await broker.settle();
  assert.equal(connackOf(client).properties.serverKeepAlive, 60);
  assert.equal(await broker.figure("limits/keepAliveSecondsMax"), "1");
  assert.deepEqual(broker.warnings, []);
  broker.clock.advanceSeconds(90);
  assert.equal(endOf(client), ReasonCode.keepAliveTimeout);
});

test("clientIdentifierBytesMax: a longer one is refused", async () => {
  const broker = new LimitedBroker({ clientIdentifierBytesMax: 23 });
  assert.equal(await broker.connectCode("x".repeat(23)), ReasonCode.success);
  assert.equal(await broker.connectCode("x".repeat(24)), ReasonCode.clientIdentifierNotValid);
  assert.equal(
    await broker.connectCode("ä".repeat(12), { protocolVersion: v3_1_1 }),
    ConnectReturnCode.identifierRejected,
  );
  await broker.expectHits("clientIdentifierBytesMax", 2);
});
