/**
 * Sinks that fail, refuse, hang and are slow at random, and consumers that are killed at random and fed again whatever
 * was not safe: at the end every sink has every message, or the dead letters have it, and each sink saw them in their
 * order. A kill is a copy of the folder at that moment: what the old pipeline does afterwards is seen by nobody.
 */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { PipelineLimits } from "../../src/cli/pipeline/pipeline-options.ts";
import {
  type MappedMessage,
  type Sink,
  SinkRefusal,
  SinkUnavailable,
} from "../../src/sinks/index.ts";
import { Chance } from "../fuzz/chance.ts";
import { makeFolder, readLetters, textOf, World } from "./consumer-world.ts";

/** As many seeds as fit in this time; one at least. */
const runMilliseconds = 8000;
const messagesMax = 400;
const sinkNames = ["one", "two", "three"];
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** One destination over all incarnations: its moods last for a few writes. */
class Destination {
  readonly has: number[] = [];
  /** Every so many messages one is refused. */
  readonly #badEvery: number;
  readonly #tellsWhich: boolean;
  readonly #chance: Chance;
  #mood = "well";
  #moodLeft = 0;
  isCalm = false;

  constructor(chance: Chance) {
    this.#chance = chance;
    this.#badEvery = chance.pick([7, 50, 100_000]);
    this.#tellsWhich = chance.happens(0.5);
  }

  isBad(message: number): boolean {
    return message % this.#badEvery === this.#badEvery - 1;
  }

  async write(batch: readonly MappedMessage[], isDead: () => boolean): Promise<number> {
    const messages = batch.map((mapped) => Number(textOf(mapped)));
    await this.#suffer(messages, isDead);
    const bad = messages.flatMap((message, index) => (this.isBad(message) ? [index] : []));
    if (bad.length > 0 && !this.#tellsWhich) throw new SinkRefusal("something is bad");
    this.#take(messages, isDead);
    if (bad.length === 0) return messages.length;
    throw new SinkRefusal("bad", { refused: new Map(bad.map((index) => [index, "bad"])) });
  }

  async #suffer(messages: readonly number[], isDead: () => boolean): Promise<void> {
    if (this.isCalm) return;
    if (this.#moodLeft-- <= 0) {
      this.#mood = this.#chance.pick(["well", "well", "slow", "away", "broken", "hung"]);
      this.#moodLeft = this.#chance.below(8);
    }
    if (this.#mood === "slow") await pause(this.#chance.below(4));
    if (this.#mood === "hung") await pause(this.#chance.below(40));
    if (this.#mood === "away") throw new SinkUnavailable("away");
    if (this.#mood !== "broken") return;
    this.#take(messages.slice(0, this.#chance.below(messages.length + 1)), isDead);
    throw new SinkUnavailable("broken off");
  }

  #take(messages: readonly number[], isDead: () => boolean): void {
    if (!isDead()) this.has.push(...messages.filter((message) => !this.isBad(message)));
  }
}

function makeLimits(chance: Chance): Partial<PipelineLimits> {
  return {
    batchMessagesMax: chance.between(1, 50),
    batchMilliseconds: chance.pick([0, 0, 3]),
    pendingMessagesMax: chance.between(20, 200),
    retryMillisecondsMin: 1,
    retryMillisecondsMax: 4,
    spoolAfterSeconds: chance.pick([0, 0.005, 0.03]),
    spoolBytesMax: chance.pick([40 * 52, 1e9]),
  };
}

const textAt = (message: number) => {
  if (message % 11 === 5) return "drop";
  return message % 23 === 9 ? "unreadable" : String(message);
};

/** Takes messages from the first that is not safe, until it is killed or all have been taken. The answer is what was safe. */
async function consume(world: World, first: number, chance: Chance, killAfter: number) {
  let next = first;
  while (next < messagesMax && next - first < killAfter) {
    for (let burst = chance.between(1, 40); burst > 0 && next < messagesMax; burst--) {
      world.take(textAt(next));
      next += 1;
      if (!world.pipeline.hasRoom) break;
    }
    checkBounds(world);
    if (chance.happens(0.5)) await pause(chance.below(4));
    await world.until(() => world.pipeline.hasRoom);
  }
  await pause(chance.below(15));
  checkBounds(world);
  return first + world.safe;
}

function checkBounds(world: World): void {
  const { pendingMessages } = world.pipeline.counts();
  assert.ok(pendingMessages <= 200, `${pendingMessages} messages in memory`);
}

/** From the first message to the last, through some deaths. */
async function live(seed: number, folders: () => string): Promise<string> {
  const chance = new Chance(seed, 1);
  const names = sinkNames.slice(0, chance.between(1, sinkNames.length));
  const destinations = new Map(
    names.map((name, index) => [name, new Destination(new Chance(seed, index + 2))]),
  );
  const limits = makeLimits(chance);
  const old: World[] = [];
  let folder = folders();
  let first = 0;
  for (let deaths = chance.below(5); deaths >= 0; deaths--) {
    const life = { isDead: false };
    const sinks: Record<string, Sink> = {};
    for (const [name, destination] of destinations) {
      const write = (batch: readonly MappedMessage[]) =>
        destination.write(batch, () => life.isDead);
      sinks[name] = { write, close: () => Promise.resolve() };
    }
    const world = await World.open({ folder, sinks, limits });
    old.push(world);
    first = await consume(world, first, chance, deaths === 0 ? messagesMax : chance.below(200));
    if (deaths > 0) {
      life.isDead = true;
      const next = folders();
      for (const name of names) {
        for (const end of ["", "-wal"]) copy(folder, next, `spool-${name}.db${end}`);
      }
      copy(folder, next, "dead-letters.jsonl");
      folder = next;
      continue;
    }
    for (const destination of destinations.values()) destination.isCalm = true;
    assert.equal(await world.pipeline.drain(20), true, "everything is safe at the end");
  }
  for (const world of old) {
    await world.pipeline.close();
    assert.deepEqual(world.failures, []);
  }
  for (const [name, destination] of destinations) checkDestination(name, destination, folder);
  return folder;
}

function copy(from: string, to: string, file: string): void {
  if (existsSync(join(from, file))) copyFileSync(join(from, file), join(to, file));
}

function checkDestination(name: string, destination: Destination, folder: string): void {
  const has = new Set(destination.has);
  const letters = readLetters(folder);
  const refused = new Set(
    letters.filter(({ sink }) => sink === name).map(({ payload }) => Number(payload)),
  );
  for (let message = 0; message < messagesMax; message++) {
    if (textAt(message) !== String(message)) continue;
    const where = destination.isBad(message) ? refused : has;
    assert.ok(where.has(message), `${message} is missing at ${name}`);
  }
  const inOrder = [...has].sort((one, other) => one - other);
  assert.deepEqual([...has], inOrder, `the order at ${name}`);
  const unreadable = letters.filter(({ sink }) => sink === "mapping").length;
  const expected = Array.from({ length: messagesMax }, (_, index) => textAt(index));
  assert.ok(unreadable >= expected.filter((text) => text === "unreadable").length);
}

test("whatever sinks do and whenever consumers die, nothing is missing and order holds", async (context) => {
  const end = performance.now() + runMilliseconds;
  let seed = Number(process.env.TSTACK_SEED ?? randomInt(2 ** 31));
  do {
    try {
      await live(seed, () => makeFolder(context));
    } catch (error) {
      throw new Error(`with TSTACK_SEED=${seed}`, { cause: error });
    }
    seed += 1;
  } while (performance.now() < end);
});
