/**
 * Looks at the machine once an interval and publishes what it finds while the broker is there. Figures are replaceable: those of
 * a time without the broker, or before it has acknowledged the last ones, are dropped and never wait. `NAME/status` says
 * whether this program is there, by its will too.
 */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type ConnackPacket,
  Connection,
  describeEndpoint,
  Ending,
  runToEnd,
  type Talk,
} from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { readProgramVersion } from "../program-version.ts";
import { ChangeFilter } from "./change-filter.ts";
import { type Figure, roundFigure } from "./figure.ts";
import { birthTopic, discoveryTopic, HomeAssistantDevice } from "./home-assistant.ts";
import { formatState } from "./json-state.ts";
import { Machine } from "./machine.ts";
import type { MonitorOptions } from "./options.ts";
import { openSources } from "./sources.ts";

/** Rates need two looks: who starts tmonitor by hand does not want to wait an interval for the first. */
const firstSeconds = 1;
/** How long the last word may take to be acknowledged. */
const farewellSeconds = 2;
/** Of an interval; one lost message is no reason to call a figure unknown. */
const intervalsUntilExpired = 3;
const refusalsMax = 20;
const refusedFrom = 0x80;

interface MessageOptions {
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
}

const kept: MessageOptions = { qos: 1, retain: true };

export class Monitor {
  readonly #options: MonitorOptions;
  readonly #io: ProgramIo;
  readonly #talk: Talk;
  readonly #ending = new Ending();
  readonly #stop = new AbortController();
  readonly #connection: Connection;
  readonly #filter: ChangeFilter | undefined;
  readonly #device: HomeAssistantDevice | undefined;
  readonly #refusals = new Set<string>();
  #limits: ConnackPacket["properties"];
  #looking = false;
  #unacknowledged = 0;

  constructor(options: MonitorOptions, io: ProgramIo, talk: Talk) {
    this.#options = options;
    this.#io = io;
    this.#talk = talk;
    const { connection, change, homeAssistant, name, json, intervalSeconds } = options;
    this.#filter = change && new ChangeFilter(change);
    const longest = Math.max(intervalSeconds, change?.secondsMax ?? 0);
    this.#device =
      homeAssistant === undefined
        ? undefined
        : new HomeAssistantDevice({
            name,
            version: readProgramVersion(),
            json,
            expireSeconds: Math.ceil(longest * intervalsUntilExpired),
          });
    this.#connection = new Connection(
      connection,
      {
        online: (connack) => this.#online(connack),
        message: (packet, done) => {
          if (packet.payload.toString() === "online") this.#introduce();
          done();
        },
        failed: (failure) => this.#ending.fail(failure),
      },
      talk,
    );
  }

  /** The exit code. @throws {ProgramFailure} */
  run(): Promise<number> {
    return runToEnd({
      io: this.#io,
      ending: this.#ending,
      timeOutSeconds: this.#options.connection.timeOutSeconds,
      start: () => this.#connection.open(),
      interrupted: () => this.#ending.succeed(),
      close: () => this.#close(),
    });
  }

  #online(connack: ConnackPacket): void {
    this.#limits = connack.properties;
    this.#refusals.clear();
    this.#send("status", "online", kept);
    this.#introduce();
    this.#awaitBirth();
    if (this.#looking) return;
    this.#looking = true;
    const { name, intervalSeconds, connection } = this.#options;
    const where = describeEndpoint(connection.endpoint);
    this.#talk.say(`publishing ${name}/# to ${where} every ${intervalSeconds} s`);
    // What goes wrong in there is a bug, and no failure for people.
    void this.#lookOn();
  }

  /** To who has just come: Home Assistant, or a broker that has come back, perhaps without its memory. */
  #introduce(): void {
    this.#filter?.forget();
    const description = this.#device?.describe();
    const { homeAssistant, name } = this.#options;
    if (description === undefined || homeAssistant === undefined) return;
    this.#publish(discoveryTopic(homeAssistant, name), description, kept);
  }

  /** Without the right to it Home Assistant still finds the retained message. */
  #awaitBirth(): void {
    const { homeAssistant, name } = this.#options;
    if (homeAssistant === undefined) return;
    const topic = birthTopic(homeAssistant);
    this.#connection.subscribe([topic], { qos: 0 }, ({ codes: [code] }) => {
      if (code < refusedFrom) return;
      // Who lacks this right lacks the other one, too, of which MQTT 3.1.1 says nothing.
      const other = discoveryTopic(homeAssistant, name);
      this.#talk.say(
        `subscribing to ${topic} was refused: may this user do that, and publish to ${other}?`,
      );
    });
  }

  async #lookOn(): Promise<void> {
    const { signal } = this.#stop;
    const machine = new Machine(
      await openSources(this.#options.sources, {
        platform: process.platform,
        nowSeconds,
        signal,
      }),
      (line) => this.#talk.say(line),
    );
    await machine.look();
    let due = nowSeconds() + firstSeconds;
    while (await this.#pause(due - nowSeconds())) {
      if (this.#canPublish()) {
        const figures = await machine.look();
        if (this.#canPublish()) this.#publishFigures(figures);
      }
      // After the machine has slept there is nothing to make up for.
      due = Math.max(due + this.#options.intervalSeconds, nowSeconds());
    }
  }

  /** False once the program ends. */
  async #pause(seconds: number): Promise<boolean> {
    const { signal } = this.#stop;
    const waited = sleep(Math.max(seconds, 0) * 1000, true, { signal });
    return waited.catch(() => false);
  }

  #canPublish(): boolean {
    return !this.#stop.signal.aborted && this.#connection.writable && this.#unacknowledged === 0;
  }

  #publishFigures(all: readonly Figure[]): void {
    if (this.#device?.learn(all)) this.#introduce();
    const figures = this.#filter?.pick(all, nowSeconds()) ?? all;
    const { json, qos, retain } = this.#options;
    if (figures.length === 0) return;
    if (json) this.#send("state", formatState(all), { qos, retain });
    for (const figure of json ? [] : figures) {
      this.#send(figure.path, String(roundFigure(figure)), { qos, retain });
    }
  }

  #send(path: string, text: string, options: MessageOptions): void {
    this.#publish(`${this.#options.name}/${path}`, text, options);
  }

  #publish(topic: string, text: string, { qos: wanted, retain }: MessageOptions): void {
    const payload = Buffer.from(text);
    const { maximumQoS = 2, maximumPacketSize = Number.POSITIVE_INFINITY } = this.#limits ?? {};
    if (payload.length + Buffer.byteLength(topic) > maximumPacketSize) {
      this.#refused(`the broker takes no message as long as that of ${topic}`);
      return;
    }
    const qos = Math.min(wanted, maximumQoS) as 0 | 1 | 2; // [MQTT-3.2.2-11]
    const { publish: properties } = this.#options.connection.properties;
    const options = { qos, retain, properties };
    if (qos === 0) {
      this.#connection.publish({ topic, payload }, options);
      return;
    }
    this.#unacknowledged += 1;
    this.#connection.publish({ topic, payload }, options, (failure) => {
      this.#unacknowledged -= 1;
      if (failure !== undefined) this.#refused(failure.message);
    });
  }

  /** Each refusal once for a connection. */
  #refused(reason: string): void {
    if (this.#refusals.has(reason) || this.#refusals.size >= refusalsMax) return;
    this.#refusals.add(reason);
    this.#talk.say(reason);
  }

  async #close(): Promise<void> {
    this.#stop.abort();
    if (this.#connection.writable) {
      this.#send("status", "offline", kept);
      const deadline = nowSeconds() + farewellSeconds;
      while (this.#unacknowledged > 0 && this.#connection.writable && nowSeconds() < deadline) {
        await sleep(10);
      }
    }
    await this.#connection.close();
  }
}

/** Of a clock that nobody sets. */
function nowSeconds(): number {
  return performance.now() / 1000;
}
