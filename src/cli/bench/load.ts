/**
 * The course of a run: all clients connect, publishers start, something says that it is enough, what is
 * under way gets time to arrive, everyone says goodbye, and the results are printed - also where it ended
 * before its time.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConnackPacket } from "../../codec/index.ts";
import { describeEndpoint, Ending, ProgramFailure, runToEnd } from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { Progress } from "../progress.ts";
import { AddressBook } from "./address-book.ts";
import { brokerLimitMistake, capInFlight } from "./broker-limits.ts";
import { type Cast, castClients } from "./cast.ts";
import type { Client } from "./client.ts";
import { ConnectionCount } from "./connection-count.ts";
import { identifyMachine, openMonotonicClock } from "./monotonic-clock.ts";
import { Pacer } from "./pacer.ts";
import type { Plan } from "./plan.ts";
import { describeProgress } from "./progress-text.ts";
import { openAll } from "./ramp.ts";
import { countExpected, type EndReason, gatherResults, type Results } from "./results.ts";
import { describeResults } from "./results-text.ts";
import { Tally } from "./tally.ts";
import { findFault } from "./verdict.ts";
import { Wire } from "./wire.ts";

const watchMilliseconds = 50;
/** A fraction of the shortest keep alive. */
const keepAliveMilliseconds = 250;
/** After the end, for what is under way: so long without anything new. */
const settleSeconds = 3;
/** Where something should move and nothing has for so long, nothing will. */
const stalledSeconds = 10;

export class Load {
  readonly #plan: Plan;
  readonly #io: ProgramIo;
  readonly #ending = new Ending();
  readonly #wire = new Wire(openMonotonicClock());
  readonly #tally = new Tally();
  readonly #cast: Cast;
  readonly #connections = new ConnectionCount();
  readonly #stop = Promise.withResolvers<EndReason>();
  readonly #abort = new AbortController();
  readonly #progress: Progress;
  readonly #startedAt = performance.now();
  #pacer: Pacer | undefined;
  #inFlightMax: number;
  readonly #packetBytesMax: number;
  #phase: "opening" | "running" | "settling" | "over" = "opening";
  #endReason: EndReason = "timed out";
  #openSeconds = 0;
  /** By the wire's clock. */
  #runningSince: number | undefined;
  #stoppedAt = 0;
  #processor = process.cpuUsage();
  #processorSince = performance.now();
  #timers: NodeJS.Timeout[] = [];

  constructor(plan: Plan, io: ProgramIo) {
    this.#plan = plan;
    this.#io = io;
    this.#inFlightMax = plan.inFlightMax;
    const origin = { machine: identifyMachine(), run: randomBytes(4).readUInt32LE() };
    this.#cast = castClients(plan, origin, {
      wire: this.#wire,
      tally: this.#tally,
      onLost: (_client, failure) => this.#lost(failure),
    });
    const packetSizes = this.#cast.publishers.map(({ packetBytes }) => packetBytes);
    this.#packetBytesMax = packetSizes.reduce((most, bytes) => Math.max(most, bytes), 0);
    this.#progress = new Progress(
      io.stderr,
      describeProgress(plan, this.#cast, this.#tally, this.#connections),
    );
  }

  /** The exit code. @throws {ProgramFailure} */
  run(): Promise<number> {
    return runToEnd({
      io: this.#io,
      ending: this.#ending,
      timeOutSeconds: this.#plan.connection.timeOutSeconds,
      start: () => {
        this.#follow().catch((error: unknown) => this.#ending.fail(error as ProgramFailure));
      },
      interrupted: () => this.#interrupt(),
      close: () => this.#close(),
    });
  }

  async #follow(): Promise<void> {
    if (!this.#plan.connection.quiet) this.#progress.start();
    const endedEarly = await Promise.race([this.#open(), this.#stop.promise]);
    if (this.#phase !== "opening") return;
    if (endedEarly === undefined) this.#startRunning();
    this.#endReason = endedEarly ?? (await this.#stop.promise);
    this.#stopPublishers();
    if (
      this.#endReason === "all done" ||
      this.#endReason === "seconds are over" ||
      this.#endReason === "interrupted"
    ) {
      await this.#settle();
    }
    const fault = findFault(this.#plan, this.#results(), this.#connections, this.#tally);
    if (fault === undefined) this.#ending.succeed();
    else this.#ending.fail(fault);
  }

  async #open(): Promise<void> {
    // From the beginning: a slow ramp takes longer than a keep alive.
    this.#timers.push(setInterval(() => this.#keepAlive(), keepAliveMilliseconds));
    const options = { perSecond: this.#plan.rampPerSecond, signal: this.#abort.signal };
    const hooks = {
      opened: (client: Client, connack: ConnackPacket) => this.#opened(client, connack),
      failed: (failure: ProgramFailure) => this.#failed(failure),
    };
    await openAll(this.#cast.clients, new AddressBook(), hooks, options);
    this.#openSeconds = (performance.now() - this.#startedAt) / 1000;
  }

  #opened(client: Client, connack: ConnackPacket): void {
    this.#connections.opened += 1;
    this.#tally.connectTime.record(this.#wire.clock() - client.openedAt);
    const mistake = brokerLimitMistake(this.#plan, this.#packetBytesMax, connack);
    if (mistake !== undefined) throw mistake;
    this.#inFlightMax = capInFlight(this.#inFlightMax, connack);
  }

  /** One of many: `conn` counts it, every other command needs all its clients. */
  #failed(failure: ProgramFailure): void {
    this.#connections.fail(failure);
    if (this.#abort.signal.aborted) return;
    if (this.#plan.command === "conn" && !this.#connections.isAtOwnLimit) return;
    this.#abort.abort();
    if (this.#plan.command === "conn") return;
    this.#endReason = "connections failed";
    this.#ending.fail(this.#connections.explain(this.#cast.clients.length));
  }

  #startRunning(): void {
    const { command, holdSeconds, seconds } = this.#plan;
    this.#phase = "running";
    this.#runningSince = this.#wire.clock();
    if (command !== "conn") {
      this.#processor = process.cpuUsage();
      this.#processorSince = performance.now();
    }
    this.#timers.push(setInterval(() => this.#watch(), watchMilliseconds));
    const duration = command === "conn" ? holdSeconds : seconds;
    if (this.#connections.isAtOwnLimit) this.#stop.resolve("connections failed");
    else if (this.#connections.open === 0) this.#stop.resolve("connection lost");
    else if (duration !== undefined) {
      const reason = command === "conn" ? "all done" : "seconds are over";
      this.#timers.push(setTimeout(() => this.#stop.resolve(reason), duration * 1000));
    }
    if (command === "sub" && !this.#plan.connection.quiet) {
      this.#progress.say(`tbench sub: ${this.#connections.opened} clients are subscribed`);
    }
    this.#startPublishers();
  }

  #startPublishers(): void {
    const { publishers, deliveries } = this.#cast;
    const { messagesMax = Number.POSITIVE_INFINITY, isClosedLoop, ratePerSecond } = this.#plan;
    if (publishers.length === 0) return;
    if (ratePerSecond !== undefined) {
      const isPrecise = this.#cast.subscribers.length > 0;
      this.#pacer = new Pacer(this.#wire, publishers, { ratePerSecond, isPrecise });
    }
    for (const [index, publisher] of publishers.entries()) {
      const copies = isClosedLoop ? deliveries[index] : 0;
      publisher.start({ messagesMax, inFlightMax: this.#inFlightMax, copies }, this.#pacer);
    }
    this.#pacer?.start();
  }

  #stopPublishers(): void {
    this.#phase = "settling";
    this.#stoppedAt = this.#wire.clock();
    this.#pacer?.stop();
    for (const publisher of this.#cast.publishers) publisher.isStopped = true;
  }

  /** Looks whether the run has come to an end by itself. */
  readonly #watch = this.#newWatch();

  #newWatch(): () => void {
    let seen = -1;
    let changedAt = performance.now();
    return () => {
      if (this.#phase !== "running") return;
      const { received, acknowledged, sent } = this.#tally;
      const now = performance.now();
      if (received + acknowledged + sent !== seen) {
        seen = received + acknowledged + sent;
        changedAt = now;
      }
      const reason = this.#findEnd((now - changedAt) / 1000);
      if (reason !== undefined) this.#stop.resolve(reason);
    };
  }

  #findEnd(quietSeconds: number): EndReason | undefined {
    const { messagesMax, receivedMax, qos, ratePerSecond } = this.#plan;
    const { publishers } = this.#cast;
    const { sent, acknowledged, received } = this.#tally;
    if (receivedMax !== undefined && received >= receivedMax) return "all done";
    if (publishers.length === 0) return undefined;
    const alive = publishers.filter(({ client }) => client.isReady);
    if (messagesMax !== undefined && alive.every((publisher) => publisher.sent >= messagesMax)) {
      return "all done"; // what is under way settles
    }
    if (quietSeconds <= stalledSeconds) return undefined;
    // At a rate it may be that nothing is due.
    const isHeldUp =
      ratePerSecond === undefined ||
      (qos > 0 && acknowledged < sent) ||
      alive.some((publisher) => publisher.owed > publisher.sent);
    return isHeldUp ? "stalled" : undefined;
  }

  /** Everything sent has arrived where it should. */
  get #isComplete(): boolean {
    const { sent, acknowledged, received, foreign } = this.#tally;
    if (this.#plan.qos > 0 && acknowledged < sent) return false;
    return received - foreign >= countExpected(this.#cast);
  }

  async #settle(): Promise<void> {
    let seen = -1;
    let quietMilliseconds = 0;
    // Strangers' messages must not keep it up for ever.
    const until = performance.now() + 10 * settleSeconds * 1000;
    while (
      !this.#isComplete &&
      quietMilliseconds < settleSeconds * 1000 &&
      performance.now() < until
    ) {
      await sleep(watchMilliseconds);
      if (this.#phase === "over") return;
      const { received, acknowledged } = this.#tally;
      quietMilliseconds =
        received + acknowledged === seen ? quietMilliseconds + watchMilliseconds : 0;
      seen = received + acknowledged;
    }
  }

  #keepAlive(): void {
    const now = this.#wire.clock();
    for (const client of this.#cast.clients) client.keepAlive(now);
  }

  #lost(failure: ProgramFailure): void {
    this.#connections.lose(failure);
    const { command } = this.#plan;
    const isLast = this.#phase === "running" && this.#connections.open === 0;
    if (command === "fan" || command === "latency" || isLast) this.#stop.resolve("connection lost");
  }

  #interrupt(): void {
    const isEnough = this.#plan.command === "conn" && this.#connections.opened > 0;
    if (this.#phase === "opening" && !isEnough) {
      this.#ending.fail(new ProgramFailure("interrupted before all clients were connected"));
    }
    this.#abort.abort();
    this.#stop.resolve("interrupted");
  }

  async #close(): Promise<void> {
    const results = this.#connections.opened > 0 ? this.#results() : undefined;
    this.#phase = "over";
    this.#abort.abort();
    this.#pacer?.stop();
    for (const publisher of this.#cast.publishers) publisher.isStopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#progress.stop();
    if (results !== undefined) {
      const text = this.#plan.json
        ? `${JSON.stringify(results, undefined, 2)}\n`
        : describeResults(results);
      this.#io.stdout.write(text);
    }
    await Promise.all(this.#cast.clients.map((client) => client.end()));
  }

  #results(): Results {
    const processor = process.cpuUsage(this.#processor);
    const milliseconds = performance.now() - this.#processorSince;
    return gatherResults(this.#plan, this.#cast, this.#tally, {
      broker: describeEndpoint(this.#plan.connection.endpoint),
      ended: this.#endReason,
      opened: this.#connections.opened,
      failed: this.#connections.failed,
      lost: this.#connections.lost,
      reasons: this.#connections.reasons,
      openSeconds: this.#openSeconds || (performance.now() - this.#startedAt) / 1000,
      seconds: this.#messageSeconds(),
      toolCpuPercent: (processor.user + processor.system) / 10 / milliseconds,
    });
  }

  /**
   * From the first message to the last that arrived, or was sent where none is expected to; not less than
   * what was asked for: nothing for the last seconds is a low rate, and no short run.
   */
  #messageSeconds(): number | undefined {
    const begin = this.#cast.publishers.length > 0 ? this.#runningSince : this.#tally.firstAt;
    if (this.#runningSince === undefined || begin === undefined) return undefined;
    const answered = this.#cast.subscribers.length > 0 || this.#plan.qos > 0;
    const end = answered ? this.#tally.lastAt : this.#tally.sentLastAt;
    const isWhole = this.#endReason === "seconds are over" && this.#cast.publishers.length > 0;
    return Math.max(0, end - begin, isWhole ? this.#stoppedAt - begin : 0) / 1_000_000;
  }
}
