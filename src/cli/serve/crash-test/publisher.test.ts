/** When a publisher's session counts as lost, against a broker that says what the test wants. */
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Chance } from "./chance.ts";
import { Faults } from "./faults.ts";
import { MessageStream } from "./message-stream.ts";
import { Publisher } from "./publisher.ts";

const connack = Buffer.from([0x20, 2, 0, 0]); // no session is present

/** Welcomes each connection, and ends it when a message comes; only the second acknowledges that, and stays. */
async function startBroker(context: TestContext) {
  let end = (): void => undefined;
  let connections = 0;
  const server = net.createServer((socket) => {
    const number = ++connections;
    let isFirst = true;
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      if (isFirst) socket.write(connack);
      isFirst = false;
      const at = bytes.findIndex((byte) => (byte & 0xf6) === 0x32); // PUBLISH of QoS 1
      if (at < 0) return;
      const topicLength = bytes.readUInt16BE(at + 2);
      const identifier = bytes.subarray(at + 4 + topicLength, at + 6 + topicLength);
      if (number !== 2) socket.destroy();
      else socket.write(Buffer.concat([Buffer.from([0x40, 2]), identifier]));
      end = () => socket.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => server.close());
  return { port: (server.address() as net.AddressInfo).port, end: () => end() };
}

test("a session is lost that was there when a message was acknowledged, not one that CONNACK had just begun", async (context) => {
  const broker = await startBroker(context);
  const faults = new Faults();
  const stream = new MessageStream("t", 1);
  const note = (): void => undefined;
  const world = { broker, chance: new Chance(1), faults };
  const publisher = new Publisher({ name: "p", protocolVersion: 4, note }, world, [stream]);
  context.after(() => publisher.close());
  publisher.beginRound(1, 1);
  while (stream.acknowledged === 0) await sleep(5);
  await sleep(50);
  assert.deepEqual(
    faults.examples,
    [],
    "what is acknowledged on a connection says nothing of its CONNACK",
  );
  broker.end();
  while (faults.count("session") === 0) await sleep(5);
});
