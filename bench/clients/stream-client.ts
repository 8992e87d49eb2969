/**
 * One publisher and one subscriber at QoS 0, over TCP or WebSocket, with a window of messages under way. Prints as JSON
 * what came, and the broker's CPU for it:
 *
 *   node bench/clients/stream-client.ts URL BROKER_PID SECONDS batched|single
 *
 * `batched` writes all that the window lets go at once: one write to a socket, one WebSocket message. `single` makes
 * one write, or one WebSocket message, of each packet.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { encodePacket, PacketType, ProtocolVersion } from "../../src/codec/index.ts";
import { readCpuSeconds } from "../brokers.ts";
import { checkSuback, encodeSubscribe, LoadClient } from "./load-client.ts";

const window = 1000;
const payloadBytes = 64;
const topic = "bench/one";
const warmUpMilliseconds = 1000;

const [address, pid, seconds, writing] = process.argv.slice(2);
const url = new URL(address);
const isBatched = writing === "batched";

const template = encodePacket(
  {
    type: PacketType.publish,
    topic,
    payload: Buffer.alloc(payloadBytes, "x"),
    qos: 0,
    retain: false,
    dup: false,
    properties: {},
  },
  ProtocolVersion.v3_1_1,
);
/** Where the sequence number stands, in a packet that is sent and in one that comes. */
const numberAt = template.length - payloadBytes;

const subscriber = await LoadClient.connect(url, "stream-subscriber");
checkSuback(await subscriber.request(encodeSubscribe(1, [topic])));
const publisher = await LoadClient.connect(url, "stream-publisher");

let sent = 0;
let received = 0;
let outOfOrder = 0;
let isRunning = true;

function pump(): void {
  const count = isRunning ? window - (sent - received) : 0;
  if (count === 0) return;
  const batch = Buffer.allocUnsafeSlow(count * template.length);
  for (let at = 0; at < batch.length; at += template.length) {
    template.copy(batch, at);
    batch.writeUInt32BE(sent++, at + numberAt);
    if (!isBatched) publisher.send(batch.subarray(at, at + template.length));
  }
  if (isBatched) publisher.send(batch);
}

subscriber.onFrame = (bytes, start) => {
  if (bytes.readUInt32BE(start + numberAt) !== received) outOfOrder++;
  received++;
};
subscriber.onChunkEnd = pump;
pump();
await sleep(warmUpMilliseconds);
const before = { cpu: readCpuSeconds(Number(pid)), received, time: performance.now() };
await sleep(Number(seconds) * 1000);
const messages = received - before.received;
const cpuSeconds = readCpuSeconds(Number(pid)) - before.cpu;
const elapsedSeconds = (performance.now() - before.time) / 1000;
isRunning = false;
// What is under way must still come: long enough for every broker that is not stuck.
for (let waits = 0; received < sent && waits < 100; waits++) await sleep(20);
console.log(
  JSON.stringify({
    cpuMicroseconds: (cpuSeconds * 1e6) / messages,
    deliveredPerSecond: messages / elapsedSeconds,
    lost: sent - received,
    outOfOrder,
  }),
);
publisher.close();
subscriber.close();
