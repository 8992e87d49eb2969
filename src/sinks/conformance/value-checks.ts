/** What a value is when it comes back. */
import assert from "node:assert/strict";
import { difficultTexts, MessageMaker } from "./messages.ts";
import type { SinkCheck } from "./sink-trial.ts";

const numbers = [
  0,
  1,
  -1,
  21.5,
  -273.15,
  0.1 + 0.2,
  100,
  1e-7,
  123_456_789.123_456_78,
  1e21,
  2 ** 53,
  -(2 ** 53) + 1,
  2 ** 31,
  1.5e300,
  2.5e-300,
];

/** No destination need hold them; none may lose another message for them. */
const harmfulTexts = ["", "a\0b", "\0", "lone \ud800 surrogate", "x".repeat(200_000)];

export const valueChecks: Readonly<Record<string, SinkCheck>> = {
  "a number comes back as it was": async (trial) => {
    const maker = new MessageMaker();
    // Each in a series of its own: VictoriaMetrics keeps those of one series with a common exponent.
    const batch = numbers.map((value, index) =>
      maker.make({ topic: `site/hall/number${index}`, fields: { value } }),
    );
    await trial.write(batch);
    await trial.holds(batch);
  },

  "true and false come back": async (trial) => {
    const maker = new MessageMaker();
    const batch = [true, false].map((value) =>
      maker.make({ topic: "site/hall/lamp", fields: { value } }),
    );
    await trial.write(batch);
    await trial.holds(batch);
  },

  "text comes back as it was, or is left out": async (trial) => {
    const maker = new MessageMaker();
    const batch = difficultTexts.map((value) =>
      maker.make({ topic: "site/hall/note", fields: { value } }),
    );
    const records = await trial.write([...batch, maker.number()]);
    assert.equal(records, trial.traits.keepsText ? batch.length + 1 : 1, "what is counted");
    const stored = (await trial.readBack()).filter(({ value }) => typeof value === "string");
    const texts = trial.traits.keepsText ? [...difficultTexts] : [];
    assert.deepEqual(stored.map(({ value }) => value).sort(), texts.sort());
  },

  "what a destination may not hold harms nothing else": async (trial) => {
    const maker = new MessageMaker();
    const batch = harmfulTexts.flatMap((value) => [
      maker.number(),
      maker.make({ topic: "site/hall/note", fields: { value } }),
    ]);
    const harmless = [...batch.filter((_, index) => index % 2 === 0), maker.number()];
    const refused = await trial.deliver([...batch, harmless[harmless.length - 1]]);
    assert.deepEqual(
      refused.filter((index) => index % 2 === 0),
      [],
      "only texts are refused",
    );
    const stored = (await trial.readBack()).filter(({ value }) => typeof value === "number");
    const values = (harmless.map(({ readings }) => readings[0].fields.get("value")) as number[])
      .map(String)
      .sort();
    assert.deepEqual(stored.map(({ value }) => String(value)).sort(), values);
  },

  "every field of every reading of a message is there": async (trial) => {
    const maker = new MessageMaker();
    const [one, two] = [
      maker.make({ topic: "site/hall", fields: { temp: 1.25, humidity: 2.25, open: true } }),
      maker.make({ topic: "site/yard", fields: { temp: 3.25, wind: 4.25, gust: 5.25 } }),
    ];
    const fields = { temp: 1.25, humidity: 2.25, open: true, wind: 4.25 };
    const [{ message }] = [maker.make({ topic: "site/both", fields })];
    const both = { message, readings: [...one.readings, ...two.readings] };
    await trial.write([both]);
    await trial.holds([both]);
  },

  "a time is as exact as the destination can have it": async (trial) => {
    const maker = new MessageMaker();
    const { timeStep } = trial.traits;
    const step = Number.isFinite(timeStep) ? timeStep : 1;
    const first = maker.number();
    const batch = [first, ...maker.numbers(3)].map(({ message, readings: [reading] }, index) => ({
      message,
      readings: [{ ...reading, time: first.message.arrivedAt + index * step }],
    }));
    await trial.write(batch);
    await trial.holds(batch);
  },

  "an older reading may come after a younger": async (trial) => {
    const batch = new MessageMaker().numbers(6);
    await trial.write(batch.slice(3).reverse());
    await trial.write(batch.slice(0, 3).reverse());
    await trial.holds(batch);
  },
};
