/**
 * Takes payloads as fast as the broker does, and no faster: at QoS 0 while the socket takes bytes, at
 * QoS 1 and 2 while fewer than the window are unacknowledged. Nothing is taken while the connection
 * is away, so the source waits, and no message is given up but by a refusal.
 */
import {
  type ConnackPacket,
  Connection,
  describeSystemError,
  Ending,
  ProgramFailure,
  runToEnd,
  type Talk,
} from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import type { PublishOptions } from "./options.ts";
import { readPayloads } from "./payloads.ts";

type MessageOptions = NonNullable<Parameters<Connection["publish"]>[1]>;

export class Publisher {
  readonly #options: PublishOptions;
  readonly #io: ProgramIo;
  readonly #ending = new Ending();
  readonly #connection: Connection;
  readonly #stop = new AbortController();
  readonly #messageOptions: MessageOptions;
  #window: number;
  #packetBytesMax = Number.POSITIVE_INFINITY;
  #underWay = 0;
  /** Taken from the source and not sent yet. */
  #waiting = 0;
  #pumping = false;
  #done = false;
  #change = Promise.withResolvers<void>();

  constructor(options: PublishOptions, io: ProgramIo, talk: Talk) {
    this.#options = options;
    this.#io = io;
    this.#window = options.inFlightMessagesMax;
    this.#messageOptions = {
      qos: options.qos,
      retain: options.retain,
      properties: options.connection.properties.publish,
    };
    this.#connection = new Connection(
      options.connection,
      {
        online: (connack) => this.#start(connack),
        drained: () => this.#signalChange(),
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
      interrupted: () => this.#interrupted(),
      close: () => this.#close(),
    });
  }

  #start(connack: ConnackPacket): void {
    const limits = connack.properties;
    this.#window = Math.min(this.#options.inFlightMessagesMax, limits?.receiveMaximum ?? 65_535); // [MQTT-3.3.4-7]
    this.#packetBytesMax = limits?.maximumPacketSize ?? Number.POSITIVE_INFINITY;
    if (this.#options.qos > (limits?.maximumQoS ?? 2)) {
      const most = `QoS ${limits?.maximumQoS}`;
      this.#ending.fail(new ProgramFailure(`the broker takes ${most} at most: lower -q`)); // [MQTT-3.2.2-11]
    } else if (this.#options.retain && limits?.retainAvailable === false) {
      this.#ending.fail(new ProgramFailure("the broker retains no messages: leave -r away")); // [MQTT-3.2.2-14]
    } else if (this.#pumping) {
      this.#signalChange();
    } else {
      this.#pumping = true;
      this.#pump().catch((error: unknown) => this.#failed(error));
    }
  }

  async #pump(): Promise<void> {
    const pace = {
      delivered: () => this.#until(() => this.#underWay === 0),
      signal: this.#stop.signal,
    };
    for await (const batch of readPayloads(this.#options, this.#io, pace)) {
      this.#waiting = batch.length;
      for (const payload of batch) {
        if (!this.#ready) await this.#until(() => this.#ready);
        if (this.#stop.signal.aborted) return;
        this.#send(payload);
        this.#waiting -= 1;
      }
    }
    await this.#until(() => this.#underWay === 0);
    this.#done = true;
    this.#ending.succeed();
  }

  get #ready(): boolean {
    return this.#connection.writable && this.#underWay < this.#window;
  }

  #send(payload: Buffer): void {
    const { topic, qos } = this.#options;
    // What else is in the packet may make it larger: then the broker says so. [MQTT-3.2.2-15]
    if (payload.length + topic.length > this.#packetBytesMax) {
      const most = `${this.#packetBytesMax} bytes`;
      throw new ProgramFailure(`a message of ${payload.length} bytes: the broker takes ${most}`);
    }
    if (qos === 0) {
      this.#connection.publish({ topic, payload }, this.#messageOptions);
      return;
    }
    this.#underWay += 1;
    this.#connection.publish({ topic, payload }, this.#messageOptions, (failure) => {
      if (failure !== undefined) this.#ending.fail(failure);
      this.#underWay -= 1;
      this.#signalChange();
    });
  }

  async #until(reached: () => boolean): Promise<void> {
    while (!reached() && !this.#stop.signal.aborted) {
      this.#change = Promise.withResolvers();
      await this.#change.promise;
    }
  }

  #signalChange(): void {
    this.#change.resolve();
  }

  #failed(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    if (error instanceof ProgramFailure) this.#ending.fail(error);
    else {
      const reason = describeSystemError(error as Error);
      this.#ending.fail(new ProgramFailure(`reading: ${reason}`, { cause: error }));
    }
  }

  #interrupted(): void {
    const lost = this.#underWay + this.#waiting;
    const reading = this.#options.source.kind === "lines" && this.#connection.everOnline;
    if (reading && lost === 0) this.#ending.succeed();
    else this.#ending.fail(new ProgramFailure(`interrupted, ${Math.max(lost, 1)} not delivered`));
  }

  async #close(): Promise<void> {
    this.#stop.abort();
    this.#signalChange();
    if (this.#options.source.kind === "lines" || this.#options.source.kind === "stdin") {
      this.#io.stdin.destroy();
    }
    const flushed = await this.#connection.close();
    if (this.#done && !flushed) {
      throw new ProgramFailure("the connection ended before everything was sent");
    }
  }
}
