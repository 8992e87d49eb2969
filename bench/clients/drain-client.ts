/**
 * A session that comes back and takes what waits for it, as fast as it comes: one acknowledgement for each message, all
 * of a chunk in one write. Prints as JSON what came, and the broker's CPU for it:
 *
 *   node bench/clients/drain-client.ts URL BROKER_PID CLIENT_IDENTIFIER MESSAGES PAYLOAD_BYTES
 *
 * The messages are those of mqload, which bear their number.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { readCpuSeconds } from "../brokers.ts";
import { checkConnack, encodeConnect, LoadClient } from "./load-client.ts";

const [address, pid, clientIdentifier, messages, payloadBytes] = process.argv.slice(2);
const expected = Number(messages);
const puback = 0x40;
/** In mqload's payload, behind the time. */
const numberAt = 8;
/** A broker that sends nothing for so long has nothing more. */
const silenceMilliseconds = 5000;
/** For what a broker does after the last acknowledgement has come. */
const settleMilliseconds = 1000;

let received = 0;
let outOfOrder = 0;
let lastAt = 0;
let acknowledgements = Buffer.allocUnsafeSlow(65_536);
let length = 0;

function acknowledge(high: number, low: number): void {
  if (length === acknowledgements.length) {
    acknowledgements = Buffer.concat([acknowledgements], 2 * length);
  }
  acknowledgements[length++] = puback;
  acknowledgements[length++] = 2;
  acknowledgements[length++] = high;
  acknowledgements[length++] = low;
}

const client = await LoadClient.open(new URL(address));
client.onFrame = (bytes, start, bodyStart, end) => {
  if (received === 0 && bytes[start] === 0x20) {
    if (!checkConnack(bytes.subarray(start, end))) throw new Error("there is no session");
    return;
  }
  const payloadAt = end - Number(payloadBytes);
  if (bytes.readUInt32LE(payloadAt + numberAt) !== received) outOfOrder++;
  received++;
  const identifierAt = bodyStart + 2 + bytes.readUInt16BE(bodyStart);
  acknowledge(bytes[identifierAt], bytes[identifierAt + 1]);
};
const ended = Promise.withResolvers<void>();
client.onChunkEnd = () => {
  lastAt = performance.now();
  if (length > 0) client.send(Buffer.from(acknowledgements.subarray(0, length)));
  length = 0;
  if (received >= expected) ended.resolve();
};
const before = { cpu: readCpuSeconds(Number(pid)), own: process.cpuUsage(), at: performance.now() };
lastAt = before.at;
client.send(encodeConnect(clientIdentifier, false));
const silence = setInterval(() => {
  if (performance.now() - lastAt > silenceMilliseconds) ended.resolve();
}, 500);
await ended.promise;
clearInterval(silence);
const seconds = (lastAt - before.at) / 1000;
const own = process.cpuUsage(before.own);
await sleep(settleMilliseconds);
console.log(
  JSON.stringify({
    deliveredPerSecond: received / seconds,
    cpuMicroseconds: ((readCpuSeconds(Number(pid)) - before.cpu) * 1e6) / received,
    loadUtilisation: (own.user + own.system) / 1e6 / seconds,
    lost: expected - received,
    outOfOrder,
  }),
);
client.close();
