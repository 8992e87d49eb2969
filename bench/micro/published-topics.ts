/**
 * What a connection remembers of its topics: `PublishedTopics.find` for the topic of the packet before, for one of 100
 * in turn, and for a name never seen; and a topic by its alias (5.0).
 * Measured 2026-11-23 on two shared cores of an Intel Xeon, Node 24.21: 19, 138 and 282 ns a packet; an alias 3.7 ns.
 */
import { PublishedTopics } from "../../src/broker/published-topics.ts";
import { InboundAliases } from "../../src/broker/topic-aliases.ts";
import { measureTasks } from "./stopwatch.ts";

const operations = 1000;
const topicCount = 100;
const names = Array.from({ length: topicCount }, (_, i) => Buffer.from(`site/7/device/${i}/state`));
const one = new PublishedTopics(128);
const many = new PublishedTopics(128);
const none = new PublishedTopics(128);
const aliases = new InboundAliases(64);
aliases.set(7, "site/7/device/7/state");
const newNames = Array.from({ length: operations }, (_, i) => Buffer.from(`site/${i}/new/state`));
let found = 0;

await measureTasks(import.meta.filename, [
  {
    name: "the same topic again",
    unit: "packet",
    operations,
    run: () => {
      for (let i = 0; i < operations; i++) {
        found += one.find(names[0], 0, names[0].length).topic.length;
      }
    },
  },
  {
    name: "100 topics in turn",
    unit: "packet",
    operations,
    run: () => {
      for (let i = 0; i < operations; i++) {
        const name = names[i % topicCount];
        found += many.find(name, 0, name.length).topic.length;
      }
    },
  },
  {
    name: "topics that are not remembered",
    unit: "packet",
    operations,
    run: () => {
      for (const name of newNames) found += none.find(name, 0, name.length).topic.length;
    },
  },
  {
    name: "a topic alias",
    unit: "packet",
    operations,
    run: () => {
      for (let i = 0; i < operations; i++) found += one.findByName(aliases.get(7)).topic.length;
    },
  },
]);
if (found === 0) throw new Error("nothing was found");
