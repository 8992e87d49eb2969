/** Whatever topics, names, tags, fields and units are, each value is one value: nothing is added, nothing is lost. */
import assert from "node:assert/strict";
import type { MappedMessage } from "../sink.ts";
import { difficultTexts, MessageMaker, type MessageParts } from "./messages.ts";
import type { SinkCheck, SinkTrial } from "./sink-trial.ts";

/** What a topic name cannot hold: 5.0, section 4.7.1. */
const notInTopics = /[#+\0]/g;

type Place = (maker: MessageMaker, text: string, value: number) => MappedMessage;

const places: Readonly<Record<string, Place>> = {
  topic: (maker, text, value) =>
    maker.make({ topic: `site/${text.replaceAll(notInTopics, "")}`, fields: { value } }),
  name: (maker, text, value) => maker.make({ name: text, fields: { value } }),
  "name of a tag": (maker, text, value) =>
    maker.make({ tags: { [text]: "hall", site: "home" }, fields: { value } }),
  "value of a tag": (maker, text, value) =>
    maker.make({ tags: { room: text, site: "home" }, fields: { value } }),
  field: (maker, text, value) => maker.make({ fields: { [text]: value } }),
  unit: (maker, text, value) => maker.make({ units: { value: text }, fields: { value } }),
};

/** Levels that are nothing, and a topic as long as some destinations cannot have it. */
const difficultTopics = ["/", "//", "a//b", "/a", "a/", "$SYS/x", "a".repeat(500), "a/".repeat(60)];

async function checkPlace(trial: SinkTrial, place: Place): Promise<void> {
  const maker = new MessageMaker();
  const batch = difficultTexts.map((text, index) => place(maker, text, index + 0.25));
  assert.equal(await trial.write(batch), batch.length);
  await trial.holds(batch);
}

function checkEach(): Readonly<Record<string, SinkCheck>> {
  return Object.fromEntries(
    Object.entries(places).map(([name, place]) => [
      `whatever is in a ${name}, a value is one value`,
      (trial: SinkTrial) => checkPlace(trial, place),
    ]),
  );
}

export const nameChecks: Readonly<Record<string, SinkCheck>> = {
  ...checkEach(),

  "topics may have empty and many levels": async (trial) => {
    const maker = new MessageMaker();
    const batch = difficultTopics.map((topic) => maker.number(topic));
    const refused = await trial.deliver(batch);
    assert.deepEqual(
      refused.filter((index) => difficultTopics[index].length < 100),
      [],
      "only what is long is refused",
    );
    await trial.holds(batch.filter((_, index) => !refused.includes(index)));
  },

  "other series and fields have other names, the same the same": async (trial) => {
    const maker = new MessageMaker();
    const series: readonly Omit<MessageParts, "fields">[] = [
      { topic: "site/hall/temp" },
      { topic: "site/yard/temp" },
      { topic: "site/hall/temp", tags: { room: "hall" } },
      { topic: "site/hall/temp", tags: { room: "yard" } },
      { topic: "site/hall/temp", tags: { building: "hall" } },
    ];
    const kinds = series.flatMap((parts) => ["value", "other"].map((field) => ({ parts, field })));
    const both = [...kinds, ...kinds].map(({ parts, field }, index) =>
      maker.make({ ...parts, fields: { [field]: index + 0.25 } }),
    );
    await trial.write(both);
    const stored = await trial.holds(both);
    const names = stored.map(({ series, field }) => JSON.stringify([series, field]));
    assert.deepEqual(names.slice(0, kinds.length), names.slice(kinds.length), "the same");
    assert.equal(new Set(names).size, kinds.length, "another");
  },
};
