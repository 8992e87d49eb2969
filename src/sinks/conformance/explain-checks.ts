/** `explain` is the text of what is written, and needs no destination. */
import assert from "node:assert/strict";
import { difficultTexts, MessageMaker } from "./messages.ts";
import type { SinkCheck } from "./sink-trial.ts";

export const explainChecks: Readonly<Record<string, SinkCheck>> = {
  "explain says what is written": async (trial) => {
    const maker = new MessageMaker();
    const message = maker.make({ topic: "site/hall/temp", fields: { value: 21.375 } });
    const text = trial.explain(message);
    assert.match(text, /21\.375/);
    assert.match(text, /hall/);
    await trial.write([message]);
    assert.equal(trial.explain(message), text, "the same at any time");
    assert.notEqual(trial.explain(maker.number("site/yard/temp")), text);
    await trial.holds([message]);
  },

  "explain writes nothing, and is empty only where nothing is written": async (trial) => {
    const maker = new MessageMaker();
    for (const text of difficultTexts) {
      const message = maker.make({ name: text, tags: { [text]: text }, fields: { [text]: text } });
      const isEmpty = trial.explain(message).trim() === "";
      assert.equal(isEmpty && trial.traits.keepsText, false, JSON.stringify(text));
      assert.equal(typeof trial.explain({ ...message, readings: [] }), "string");
    }
    await trial.holds([]);
  },
};
