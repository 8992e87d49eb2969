/**
 * Publishes plain numbers to many topics at QoS 1, for tconsume. So many are under way that the broker never waits for
 * them, as tconsume's own /metrics says; and no more, so that the broker need not queue. Prints as JSON how long it
 * took until tconsume had acknowledged all, and the CPU and memory meanwhile:
 *
 *   node bench/clients/readings-client.ts URL BROKER_PID METRICS_URL CONSUMER_PID COUNT
 */
import { setTimeout as sleep } from "node:timers/promises";
import { encodePacket, PacketType, ProtocolVersion } from "../../src/codec/index.ts";
import { readCpuSeconds, readResidentBytes } from "../brokers.ts";
import { messageAt } from "../readings/messages.ts";
import { readings } from "../scenarios.ts";
import { LoadClient } from "./load-client.ts";

/** Between two questions how far tconsume is. */
const pollMilliseconds = 50;
/** Packets not acknowledged by the broker. Each packet of the ring has an identifier of its own. */
const unacknowledgedMax = 5000;
const ringPackets = 10_000;
/** Packets of one write. */
const writePackets = 500;
/** tconsume is online before it has subscribed: one message after the other, until one has come. */
const probesMax = 200;
const stallMilliseconds = 30_000;

const [address, brokerPid, metricsUrl, consumerPid, count] = process.argv.slice(2);
const client = await LoadClient.connect(new URL(address), "readings-publisher");

const packets = Array.from({ length: ringPackets }, (_, index) => encodePublish(index));
const ring = Buffer.concat(packets);
const starts = [0];
for (const { length } of packets) starts.push(starts[starts.length - 1] + length);

let sent = 0;
let acknowledged = 0;
let consumed = 0;
let total = 0;

function encodePublish(index: number): Buffer {
  const { topic, payload } = messageAt(index);
  return encodePacket(
    {
      type: PacketType.publish,
      topic,
      payload,
      qos: 1,
      retain: false,
      dup: false,
      packetIdentifier: index + 1,
      properties: {},
    },
    ProtocolVersion.v3_1_1,
  );
}

function pump(): void {
  for (;;) {
    const at = sent % ringPackets;
    const free = Math.min(
      unacknowledgedMax - (sent - acknowledged),
      readings.chain.underWay - (sent - consumed),
      total - sent,
    );
    const some = Math.min(free, writePackets, ringPackets - at);
    // A few only when nothing else is under way: small writes cost more than they bring.
    if (some <= 0 || (some < writePackets && some === free && sent > acknowledged)) return;
    client.send(ring.subarray(starts[at], starts[at + some]));
    sent += some;
  }
}

async function readConsumed(): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  return Number(/^tconsume_acknowledged_total (\d+)$/m.exec(text)?.[1] ?? 0);
}

/** Publishes so many more, and waits until tconsume has them. */
async function publish(more: number, progressed: (consumed: number) => void): Promise<void> {
  total += more;
  let changedAt = performance.now();
  while (consumed < total) {
    pump();
    await sleep(
      total - consumed <= readings.chain.underWay ? pollMilliseconds / 5 : pollMilliseconds,
    );
    const before = consumed;
    consumed = await readConsumed();
    progressed(consumed);
    if (consumed > before) changedAt = performance.now();
    if (performance.now() - changedAt > stallMilliseconds) {
      throw new Error(`${total - consumed} messages do not come`);
    }
  }
}

async function probe(): Promise<void> {
  for (let probes = 0; probes < probesMax; probes++) {
    client.send(ring.subarray(0, starts[1]));
    await sleep(pollMilliseconds);
    consumed = await readConsumed();
    if (consumed === 0) continue;
    await sleep(10 * pollMilliseconds);
    consumed = await readConsumed();
    sent = consumed;
    acknowledged = consumed;
    total = consumed;
    return;
  }
  throw new Error("tconsume gets nothing");
}

await probe();
client.onFrame = () => {
  acknowledged += 1;
};
client.onChunkEnd = pump;
await publish(readings.warmUp, () => undefined);
const residentBytes: Record<string, number> = {};
const samples = readings.memory.samples.filter((messages) => messages <= Number(count));
const [broker, consumer] = [Number(brokerPid), Number(consumerPid)];
const before = { broker: readCpuSeconds(broker), consumer: readCpuSeconds(consumer), sent };
const startedAt = performance.now();
await publish(Number(count), (done) => {
  while (samples.length > 0 && done - before.sent >= samples[0]) {
    residentBytes[String(samples.shift())] = readResidentBytes(consumer);
  }
});
const seconds = (performance.now() - startedAt) / 1000;
const each = (secondsOfCpu: number) => (secondsOfCpu * 1e6) / Number(count);
console.log(
  JSON.stringify({
    sent,
    messagesPerSecond: Number(count) / seconds,
    brokerMicroseconds: each(readCpuSeconds(broker) - before.broker),
    consumerMicroseconds: each(readCpuSeconds(consumer) - before.consumer),
    residentBytes,
  }),
);
client.close();
