/** Answers leave in the order in which they came, each when its epoch is safe, also when the client answers at once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Answers } from "./answers.ts";
import { Counters } from "./counters.ts";
import type { Journal } from "./journal.ts";
import type { Outbox } from "./outbox.ts";

class Counter {
  epoch = 1;
  waiting = 0;
  isFull = false;
  readonly sent: string[] = [];
  onAppend: (() => void) | undefined;
  readonly answers: Answers;

  constructor() {
    const outbox = {
      append: (bytes: Buffer, start: number, end: number) => {
        this.sent.push(bytes.toString("hex", start, end));
        this.onAppend?.();
      },
      appendAcknowledgement: (firstByte: number, identifier: number) => {
        this.sent.push(`${firstByte.toString(16)}02${identifier.toString(16).padStart(4, "0")}`);
      },
    };
    this.answers = new Answers({
      outbox: outbox as unknown as Outbox,
      broker: {
        counters: new Counters(),
        limits: { outboxBytesMax: 1000 },
        journal: {
          wait: () => this.waiting++,
          counter: this,
          get epoch() {
            return (this as unknown as { counter: Counter }).counter.epoch;
          },
          get isFull() {
            return (this as unknown as { counter: Counter }).counter.isFull;
          },
        } as unknown as Journal,
      },
    });
  }
}

test("what need not wait goes at once, unless something before it waits", () => {
  const { answers, sent } = new Counter();
  answers.acknowledge(0x40, 1, false);
  answers.add(Buffer.from("9003", "hex"), false);
  answers.acknowledge(0x40, 2, true);
  answers.acknowledge(0x40, 3, false);
  answers.add(Buffer.from("9004", "hex"), false);
  assert.deepEqual(sent, ["40020001", "9003"]);
  assert.ok(answers.isHolding);
  answers.committed(1);
  assert.deepEqual(sent.slice(2), ["40020002400200039004"]);
  assert.equal(answers.isHolding, false);
});

test("each epoch waits on its own, and asks the journal once", () => {
  const counter = new Counter();
  const { answers, sent } = counter;
  for (let identifier = 1; identifier <= 100; identifier++) {
    counter.epoch = Math.ceil(identifier / 50);
    answers.acknowledge(0x50, identifier, true);
  }
  assert.equal(counter.waiting, 2);
  answers.committed(0);
  assert.deepEqual(sent, []);
  answers.committed(1);
  assert.equal(sent.join("").length, 50 * 8);
  answers.committed(2);
  const all = sent.join("").match(/.{8}/g) ?? [];
  assert.deepEqual(
    all.map((one) => Number.parseInt(one.slice(4), 16)),
    Array.from({ length: 100 }, (_, index) => index + 1),
  );
});

test("what follows is called when everything before it has gone, in order", () => {
  const counter = new Counter();
  const { answers, sent } = counter;
  answers.follow(() => sent.push("at once"));
  answers.acknowledge(0x40, 1, true);
  answers.follow(() => sent.push("behind 1"));
  answers.acknowledge(0x40, 2, true);
  answers.follow(() => sent.push("behind 2"));
  answers.committed(1);
  assert.deepEqual(sent, ["at once", "40020001", "behind 1", "40020002", "behind 2"]);
});

test("a client that answers within the write does not get ahead of what is still to be written", () => {
  const counter = new Counter();
  const { answers, sent } = counter;
  answers.acknowledge(0x40, 1, true);
  counter.epoch = 2;
  answers.acknowledge(0x40, 2, true);
  counter.epoch = 3;
  counter.onAppend = () => {
    counter.onAppend = undefined;
    answers.acknowledge(0x40, 3, false);
  };
  answers.committed(2);
  answers.committed(3);
  assert.deepEqual(sent, ["40020001", "40020002", "40020003"]);
});

test("it is choked while it waits for a journal that is full", () => {
  const counter = new Counter();
  const { answers } = counter;
  counter.isFull = true;
  assert.equal(answers.isChoked, false);
  answers.acknowledge(0x40, 1, true);
  assert.equal(answers.isChoked, true);
  counter.isFull = false;
  assert.equal(answers.isChoked, false);
  counter.isFull = true;
  answers.committed(1);
  assert.equal(answers.isChoked, false);
});

test("it is choked by what it holds itself, until that has gone", () => {
  const counter = new Counter();
  const { answers } = counter;
  for (counter.epoch = 1; !answers.isChoked; counter.epoch++) {
    assert.ok(counter.epoch < 10, "what it costs to hold an answer counts");
    answers.acknowledge(0x70, counter.epoch, true);
  }
  answers.committed(1);
  assert.equal(answers.isChoked, false);
  answers.add(Buffer.alloc(1000), true);
  assert.equal(answers.isChoked, true);
  answers.clear();
  assert.equal(answers.isChoked, false);
  for (let identifier = 1; identifier < 150; identifier++)
    answers.acknowledge(0x70, identifier, true);
  assert.equal(answers.isChoked, false);
});
