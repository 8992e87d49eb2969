/**
 * One process of the broker, from its start to the moment at which the power goes: from then on nothing that it does has
 * any effect. The power may go while it uses its transports or its storage, in the middle of whatever it is doing.
 */
import { type Clock, type Limits, type Log, silentLog } from "../../src/base/index.ts";
import { Broker } from "../../src/broker/index.ts";
import { Chance } from "../fuzz/chance.ts";
import type { Disk } from "./disk.ts";
import type { History } from "./history.ts";
import type { Sabotage } from "./sabotage.ts";
import type { Settings } from "./settings.ts";
import { type Process, SimulatedStorage } from "./simulated-storage.ts";
import type { Timeline } from "./timeline.ts";

interface IncarnationSurroundings {
  readonly settings: Settings;
  readonly limits: Limits;
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly history: History;
  readonly disk: Disk;
  readonly sabotage: Sabotage;
}

export class Incarnation implements Process, Clock {
  readonly broker: Broker;
  readonly storage: SimulatedStorage;
  isAlive = true;
  /** It has taken up what the storage holds, and listens. */
  isReady = false;
  /** The power does not go any more. */
  isSafe = false;
  /** Timers that are set. */
  timers = 0;
  /** Whether a session was there, by connection: MQTT 3.1 cannot tell the client. */
  readonly presence = new Map<string, boolean>();
  readonly #around: IncarnationSurroundings;
  #ticks: (() => void)[] = [];

  constructor(around: IncarnationSurroundings, number: number) {
    this.#around = around;
    const { settings, chance, timeline, history, disk, sabotage, limits } = around;
    const delayMax = settings.diskDelayMax;
    this.storage = new SimulatedStorage({
      disk,
      delayMax,
      timeline,
      chance,
      history,
      process: this,
      sabotage,
    });
    this.broker = new Broker({
      clock: this,
      random: new Chance(chance.below(2 ** 31), number),
      log: this.#log(),
      authenticator: { authenticate: ({ userName }) => this.#authenticate(userName) },
      authorizer: { generation: 0, authorize: () => ({ allowed: true, rule: "anything" }) },
      limits,
      queueDrop: settings.queueDrop,
      sysTopicsSeconds: 0,
      version: "simulation",
      storage: this.storage,
    });
    const { sessions } = this.broker;
    const open = sessions.open.bind(sessions);
    sessions.open = async (connection, request) => {
      const opened = await open(connection, request);
      if (opened !== undefined && opened !== "foreign")
        this.presence.set(connection.transport.remoteAddress, opened.isPresent);
      return opened;
    };
  }

  async start(): Promise<void> {
    await this.broker.restore();
    if (this.isAlive) this.isReady = true;
  }

  touch(): boolean {
    if (!this.isAlive) return false;
    const { chance, settings, history } = this.#around;
    if (this.isSafe || !chance.happens(settings.crashInUseShare)) return true;
    this.isAlive = false;
    const isDone = chance.happens(0.5);
    history.record(`the power goes ${isDone ? "during" : "before"} this:`);
    return isDone;
  }

  /** Nothing that it has begun waits to be carried on: all it knows is on the disk. */
  get isQuiet(): boolean {
    return this.isReady && this.#ticks.length === 0 && this.broker.journal.isIdle;
  }

  now(): number {
    return this.#around.timeline.now;
  }

  after(milliseconds: number, callback: () => void): () => void {
    this.timers++;
    let isSet = true;
    const unset = (): void => {
      if (isSet) this.timers--;
      isSet = false;
    };
    const run = (): void => {
      unset();
      if (this.isAlive) callback();
    };
    const cancel = this.#around.timeline.after(milliseconds, run, { isBackground: true });
    return () => {
      unset();
      cancel();
    };
  }

  /** A tick may last while more arrives. */
  atEndOfTick(callback: () => void): void {
    this.#ticks.push(callback);
    if (this.#ticks.length > 1) return;
    const { chance, timeline } = this.#around;
    const end = (): void => {
      const ticks = this.#ticks;
      this.#ticks = [];
      for (const tick of ticks) if (this.isAlive) tick();
    };
    timeline.after(chance.happens(0.7) ? 0 : chance.below(3), end, { title: "the tick ends" });
  }

  #authenticate(
    userName: string | undefined,
  ): ReturnType<ConstructorParameters<typeof Broker>[0]["authenticator"]["authenticate"]> {
    const result = { allowed: true, userName, rule: "anyone" } as const;
    const { chance, timeline, settings } = this.#around;
    if (settings.authenticationDelayMax === 0) return result;
    return new Promise((resolve) => {
      const answer = (): void => {
        if (this.isAlive) resolve(result);
      };
      timeline.after(chance.below(settings.authenticationDelayMax), answer, {
        title: "who it is is known",
      });
    });
  }

  #log(): Log {
    return {
      ...silentLog,
      error: (fields, message) => {
        if (!this.isAlive) return;
        const { error, location } = fields as { error?: unknown; location?: string };
        if (location !== undefined) return; // the disk is full now and then
        const text = error instanceof Error ? error.stack : JSON.stringify(fields);
        this.#around.history.report(`the broker logged: ${message}: ${text}`);
      },
    };
  }
}
