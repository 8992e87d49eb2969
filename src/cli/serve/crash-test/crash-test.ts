/**
 * The course of a crash test: rounds of publishing, SIGKILL and restart on one folder, then everything is taken, and what the
 * broker acknowledged is held against what it gave. Every wait is bounded, and the broker never outlives the test.
 */
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { ProgramFailure } from "../../client/index.ts";
import {
  BrokerChild,
  type BrokerCommand,
  BrokerFailure,
  commandOfTserve,
  commandOfWords,
} from "./broker-child.ts";
import { Cast } from "./cast.ts";
import { Chance } from "./chance.ts";
import type { CrashTestArguments } from "./command.ts";
import { Faults } from "./faults.ts";
import { type Course, type End, gatherResults, type Round } from "./results.ts";
import { describeResults, describeRound, describeStart, isBroken } from "./results-text.ts";
import { ScratchFolder } from "./scratch-folder.ts";

/** What the test needs of its `ProgramIo`. */
interface CrashTestIo {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly environment: BrokerCommand["environment"];
  onInterrupt(callback: () => void): () => void;
}

const exitCodeFailed = 1;
const exitCodeInsisted = 130;

const lifeMilliseconds = { least: 30, most: 1000 };
/** Some kills hit the broker while it starts. */
const startKillShare = 0.15;
const startKillMillisecondsMax = 300;
/** So many rounds last at least until the state after the restart has been checked. */
const checkedShare = 0.5;
const introduceSecondsMax = 30;
/** At the end, without anything that comes. */
const silenceSecondsMax = 10;
const pollMilliseconds = 50;
/** Behind the last message: what comes twice comes now. */
const settleMilliseconds = 500;
const notesMax = 20;

/** Runs the test and prints what it found; resolves with the exit code. `parent` is tserve's data folder. */
export async function runCrashTest(
  args: CrashTestArguments,
  parent: string,
  io: CrashTestIo,
): Promise<number> {
  const interrupt = new AbortController();
  const forced = Promise.withResolvers<number>();
  const stopWatching = io.onInterrupt(() => {
    if (interrupt.signal.aborted) forced.resolve(exitCodeInsisted);
    else interrupt.abort();
  });
  try {
    return await Promise.race([runInFolder(args, parent, io, interrupt.signal), forced.promise]);
  } catch (error) {
    if (!(error instanceof ProgramFailure)) throw error;
    io.stderr.write(`tserve crash-test: ${error.message}\n`);
    return exitCodeFailed;
  } finally {
    stopWatching();
  }
}

async function runInFolder(
  args: CrashTestArguments,
  parent: string,
  io: CrashTestIo,
  signal: AbortSignal,
): Promise<number> {
  const folder = await ScratchFolder.make(parent);
  let isKept = args.keep === true;
  try {
    const test = new CrashTest(args, folder.path, io, signal);
    const isGood = await test.run();
    isKept ||= test.isBroken;
    return isGood ? 0 : exitCodeFailed;
  } finally {
    if (!isKept) await folder.remove();
    else if (args.json !== true) io.stdout.write(`What the broker kept is in ${folder.path}\n`);
  }
}

class CrashTest {
  readonly #args: CrashTestArguments;
  readonly #io: CrashTestIo;
  readonly #signal: AbortSignal;
  readonly #about: Pick<Course, "broker" | "durability" | "folder" | "seed">;
  readonly #broker: BrokerChild;
  readonly #cast: Cast;
  readonly #chance: Chance;
  readonly #faults = new Faults();
  readonly #notes = new Map<string, number>();
  readonly #rounds: Round[] = [];
  #kills = 0;

  constructor(args: CrashTestArguments, folder: string, io: CrashTestIo, signal: AbortSignal) {
    this.#args = args;
    this.#io = io;
    this.#signal = signal;
    const seed = args.seed ?? Math.floor(Math.random() * 2 ** 32);
    const durability = args.command === undefined ? durabilityOf(args) : undefined;
    this.#about = { broker: args.command ?? "tserve", durability, folder, seed };
    this.#broker = new BrokerChild(chooseCommand(args, folder, io.environment));
    this.#chance = new Chance(seed);
    const world = { broker: this.#broker, chance: this.#chance, faults: this.#faults };
    this.#cast = new Cast(world, (text) => this.#note(text));
  }

  get isBroken(): boolean {
    return this.#faults.total > 0;
  }

  /** Resolves with whether all was well. */
  async run(): Promise<boolean> {
    const begun = performance.now();
    this.#say(describeStart(this.#about));
    let ended: End = "all rounds";
    let drainSeconds: number | undefined;
    let failure: BrokerFailure | undefined;
    try {
      await this.#broker.start(this.#signal);
      await this.#introduce();
      for (let round = 1; round <= this.#args.rounds; round++) await this.#runRound(round);
      drainSeconds = await this.#drain();
      if (this.#cast.underWay > 0) ended = "not acknowledged";
    } catch (error) {
      if (error instanceof BrokerFailure) failure = error;
      else if (!this.#signal.aborted) throw error;
      ended = failure === undefined ? "interrupted" : "broker failed";
    } finally {
      this.#cast.close();
      await this.#broker.close();
    }
    this.#cast.addMissing(drainSeconds !== undefined);
    const results = gatherResults(
      {
        ...this.#about,
        ended,
        seconds: toSeconds(performance.now() - begun),
        kills: this.#kills,
        rounds: this.#rounds,
        drainSeconds,
        notes: Object.fromEntries(this.#notes),
        failure: failure?.message ?? this.#explainUnacknowledged(ended),
        brokerOutput: ended === "not acknowledged" ? this.#broker.output : failure?.output,
      },
      this.#cast,
      this.#faults,
    );
    const text =
      this.#args.json === true ? `${JSON.stringify(results)}\n` : describeResults(results);
    this.#io.stdout.write(text);
    return !isBroken(results) && (ended === "all rounds" || ended === "interrupted");
  }

  async #introduce(): Promise<void> {
    const late = sleep(introduceSecondsMax * 1000, "late", { signal: this.#signal, ref: false });
    if ((await Promise.race([this.#cast.introduce(), late])) === "late") {
      const text = `not all subscriptions were acknowledged within ${introduceSecondsMax} s`;
      throw new BrokerFailure(text, this.#broker.output);
    }
  }

  async #runRound(round: number): Promise<void> {
    const before = this.#count();
    const life = this.#chance.between(lifeMilliseconds.least, lifeMilliseconds.most);
    const begun = performance.now();
    const checked = this.#cast.beginRound(life, round > 1);
    await sleep(life, undefined, { signal: this.#signal });
    if (this.#chance.happens(checkedShare)) await this.#unlessInterrupted(checked);
    this.#broker.throwIfEnded();
    await this.#kill();
    const livedMilliseconds = Math.round(performance.now() - begun);
    this.#cast.pause();
    const killedAtStart = this.#args.command === undefined && this.#chance.happens(startKillShare);
    if (killedAtStart) {
      await this.#broker.launch();
      const until = this.#chance.between(0, startKillMillisecondsMax);
      await sleep(until, undefined, { signal: this.#signal });
      this.#broker.throwIfEnded();
      await this.#kill();
    }
    const restartMilliseconds = Math.round(await this.#broker.start(this.#signal));
    const after = this.#count();
    const done: Round = {
      round,
      livedMilliseconds,
      restartMilliseconds,
      killedAtStart,
      published: after.published - before.published,
      acknowledged: after.acknowledged - before.acknowledged,
      received: after.received - before.received,
    };
    this.#rounds.push(done);
    this.#say(describeRound(done, this.#args.rounds));
  }

  async #kill(): Promise<void> {
    await this.#broker.kill();
    this.#kills += 1;
  }

  /** Waits until everything is acknowledged and taken, or until nothing comes any more; resolves with the seconds. */
  async #drain(): Promise<number> {
    const begun = performance.now();
    await this.#unlessInterrupted(this.#cast.drain());
    let moved = performance.now();
    let last = "";
    while (!this.#cast.isDrained && performance.now() - moved < silenceSecondsMax * 1000) {
      await sleep(pollMilliseconds, undefined, { signal: this.#signal });
      this.#broker.throwIfEnded();
      const now = `${this.#cast.underWay} ${this.#cast.messages}`;
      if (now !== last) moved = performance.now();
      last = now;
    }
    await sleep(settleMilliseconds, undefined, { signal: this.#signal });
    return toSeconds(performance.now() - begun);
  }

  /** For what does not know of the signal, and ends by itself. */
  #unlessInterrupted(work: Promise<void>): Promise<void> {
    const signal = this.#signal;
    signal.throwIfAborted();
    const { promise, reject } = Promise.withResolvers<void>();
    const interrupted = () => reject(signal.reason);
    signal.addEventListener("abort", interrupted);
    return Promise.race([work, promise]).finally(() => {
      signal.removeEventListener("abort", interrupted);
    });
  }

  #count(): { published: number; acknowledged: number; received: number } {
    let published = 0;
    let acknowledged = 0;
    for (const stream of this.#cast.streams) {
      published += stream.sent;
      acknowledged += stream.acknowledged;
    }
    return { published, acknowledged, received: this.#cast.messages };
  }

  #explainUnacknowledged(ended: End): string | undefined {
    if (ended !== "not acknowledged") return undefined;
    return `${this.#cast.underWay} messages were not acknowledged, and nothing moved for ${silenceSecondsMax} s`;
  }

  #note(text: string): void {
    if (this.#notes.size < notesMax || this.#notes.has(text)) {
      this.#notes.set(text, (this.#notes.get(text) ?? 0) + 1);
    }
  }

  #say(text: string): void {
    if (this.#args.json !== true) this.#io.stdout.write(text);
  }
}

function durabilityOf({ durability, memory }: CrashTestArguments): string {
  return durability ?? (memory ? "memory" : "fsync");
}

function chooseCommand(
  args: CrashTestArguments,
  folder: string,
  environment: BrokerCommand["environment"],
): BrokerCommand {
  if (args.command !== undefined) return commandOfWords(args.command, folder, environment);
  return commandOfTserve(folder, durabilityOf(args), environment);
}

function toSeconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}
