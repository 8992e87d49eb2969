/**
 * The mappings of tconsume: a plain number, an object of JSON, and both by the rule of a file.
 */
import {
  type ConsumedMessage,
  createDefaultMapping,
  parseMapping,
} from "../../src/readings/index.ts";
import { type MicroTask, measureTasks } from "./stopwatch.ts";

const operations = 1000;
const topics = Array.from({ length: operations }, (_, index) => `site/room${index}/temperature`);
const object = { temperature: 21.375, humidity: 48.5, battery: 0.93, online: true, mode: "eco" };
const rules = `
rules:
  - topic: site/+room/#metric
`;

function mapTask(
  name: string,
  mapping: { map(message: ConsumedMessage): unknown },
  text: string,
): MicroTask {
  const messages = topics.map((topic, index): ConsumedMessage => {
    const payload = Buffer.from(text);
    return { topic, payload, qos: 1, retain: false, arrivedAt: 1_700_000_000_000_000 + index };
  });
  const run = () => {
    for (const message of messages) mapping.map(message);
  };
  return { name, unit: "message", operations, run };
}

const plain = createDefaultMapping();
const ruled = await parseMapping(rules, "mapping.yaml");

await measureTasks(import.meta.filename, [
  mapTask("a number, without a file", plain, "21.375"),
  mapTask("JSON of five fields, without a file", plain, JSON.stringify(object)),
  mapTask("a number, by a rule", ruled, "21.375"),
  mapTask("JSON of five fields, by a rule", ruled, JSON.stringify(object)),
]);
