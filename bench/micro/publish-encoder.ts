/**
 * `PublishEncoder.encode` and below it `writePublish`: a message that leaves as it came, one whose QoS is lowered, and
 * one that came by 3.1.1 and leaves by 5.0 with a subscription identifier.
 * Measured 2026-11-23 on two shared cores of an Intel Xeon, Node 24.21: 8, 79 and 102 ns a message.
 */
import { newPublishHeader } from "../../src/broker/delivery.ts";
import { Message } from "../../src/broker/message.ts";
import { newVariant, PublishEncoder } from "../../src/broker/publish-encoder.ts";
import { locateFrame, type PublishVariant, scanPublish } from "../../src/codec/index.ts";
import { encodeSample } from "./samples.ts";
import { type MicroTask, measureTasks } from "./stopwatch.ts";

const operations = 1000;
const encoder = new PublishEncoder();
const header = newPublishHeader();
const bytes = encodeSample({ qos: 1 });
const frame = { bytes, start: 0, bodyStart: 0, end: 0 };
locateFrame(frame, 0);
const message = new Message();
scanPublish(frame, false, message, header);
message.qos = 1;
message.frameStart = 0;
message.frameEnd = bytes.length;

function encodeTask(name: string, changes: Partial<PublishVariant>): MicroTask {
  const variant = { ...newVariant(), ...changes };
  const run = () => {
    for (let i = 0; i < operations; i++) encoder.encode(message, variant);
  };
  return { name, unit: "message", operations, run };
}

await measureTasks(import.meta.filename, [
  encodeTask("forwarded as it came", { qos: 1 }),
  encodeTask("written with a lower QoS", { qos: 0 }),
  encodeTask("written for 5.0 with a subscription identifier", {
    isV5: true,
    qos: 1,
    identifiers: [42],
  }),
]);
