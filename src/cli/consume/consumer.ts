/**
 * The MQTT side: takes messages into the pipeline, and acknowledges them once they are safe everywhere. It stops reading
 * while the pipeline has no room. What is not acknowledged at the end stays with the broker's session.
 */
import { ReasonCode } from "../../base/index.ts";
import {
  Connection,
  describeSystemError,
  type Ending,
  type OwedAcknowledgement,
  ProgramFailure,
  type PublishPacket,
  runToEnd,
  type Talk,
} from "../client/index.ts";
import type { Pipeline } from "../pipeline/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import { ArrivalClock } from "./arrival-clock.ts";
import { readMessage } from "./consumed-message.ts";
import type { KeptSubscriptions } from "./kept-subscriptions.ts";
import type { ConsumeOptions } from "./options.ts";
import { Quarrel } from "./quarrel.ts";
import { Settling } from "./settling.ts";
import { awaitSilence } from "./silence.ts";
import { publishStatus } from "./status-topic.ts";
import { Subscribing } from "./subscribing.ts";

const drainSecondsMax = 10;
/** The return code of CONNACK. (3.1.1, section 3.2.2.3) */
const notAuthorized311 = 5;

/** How it goes, for people and for Prometheus. */
export interface ConsumerState {
  readonly isOnline: boolean;
  /** Successful CONNACKs. */
  readonly connections: number;
  readonly acknowledged: number;
  /** Of the message that waits longest for its acknowledgement; microseconds since 1970. */
  readonly oldestArrivedAt: number | undefined;
}

export interface ConsumerParts {
  readonly io: ProgramIo;
  readonly talk: Talk;
  readonly ending: Ending;
  readonly pipeline: Pipeline;
  readonly subscriptions: KeptSubscriptions;
}

export class Consumer {
  readonly #options: ConsumeOptions;
  readonly #parts: ConsumerParts;
  readonly #acknowledgements = new Acknowledgements();
  readonly #clock = new ArrivalClock();
  readonly #settling = new Settling();
  readonly #connection: Connection;
  readonly #subscribing: Subscribing;
  readonly #quarrel: Quarrel;
  #ended = false;
  /** Its code, EPIPE where the reader has gone. */
  #stdoutError: string | undefined;
  #connections = 0;
  #received = 0;
  #acknowledged = 0;
  /** Asks for the next message. */
  #held: (() => void) | undefined;
  #keepAliveTimer: NodeJS.Timeout | undefined;

  constructor(options: ConsumeOptions, parts: ConsumerParts) {
    this.#options = options;
    this.#parts = parts;
    const { talk, ending, subscriptions } = parts;
    this.#connection = new Connection(
      options.connection,
      {
        connected: (resumed) => this.#connected(resumed),
        online: (connack) => this.#online(connack.properties?.sessionExpiryInterval),
        owedMessage: (packet, owed, done) => this.#message(packet, owed, done),
        released: (packetIdentifier) => this.#acknowledgements.released(packetIdentifier),
        failed: (failure) => ending.fail(this.#explainFailure(failure)),
      },
      talk,
    );
    this.#quarrel = new Quarrel(options.connection.clientId);
    this.#subscribing = new Subscribing(options, {
      connection: this.#connection,
      subscriptions,
      talk,
      subscribed: () => this.#subscribed(),
      ended: (failure) => ending.fail(failure),
    });
  }

  get state(): ConsumerState {
    return {
      isOnline: this.#connection.online,
      connections: this.#connections,
      acknowledged: this.#acknowledged,
      oldestArrivedAt: this.#acknowledgements.oldestArrivedAt,
    };
  }

  /** The exit code. @throws {ProgramFailure} */
  run(): Promise<number> {
    const { io, ending } = this.#parts;
    return runToEnd({
      io,
      ending,
      timeOutSeconds: this.#options.connection.timeOutSeconds,
      start: () => this.#connection.open(),
      interrupted: () => this.#interrupted(),
      close: () => this.#close(),
    });
  }

  /** Of the pipeline: all messages up to this one are safe. */
  safe(sequence: number): void {
    this.#acknowledgements.safe(sequence);
    this.#acknowledge();
    this.#settling.safe(sequence);
  }

  /** Of the pipeline: it has room again. */
  release(): void {
    clearInterval(this.#keepAliveTimer);
    const held = this.#held;
    this.#held = undefined;
    held?.();
  }

  /** stdout takes nothing any more, and a sink writes there: what is not written stays with the broker. */
  stdoutFailed(error: NodeJS.ErrnoException): void {
    const { ending, pipeline } = this.#parts;
    this.#ended = true;
    this.#stdoutError = error.code ?? "unknown";
    // At once: nothing is tried again.
    void pipeline.close();
    if (error.code === "EPIPE") ending.succeed();
    else {
      const reason = `what came could not be written to stdout: ${describeSystemError(error)}`;
      ending.fail(new ProgramFailure(reason, { cause: error }));
    }
  }

  /** Before MQTT 5, and with some brokers after that, a will that is refused looks like a wrong password. */
  #explainFailure(failure: ProgramFailure): ProgramFailure {
    const { statusTopic } = this.#options;
    const { exitCode, message } = failure;
    const isRefusal = exitCode === notAuthorized311 || exitCode === ReasonCode.notAuthorized;
    if (statusTopic === undefined || !isRefusal) return failure;
    const hint = `may this user publish to ${statusTopic}, as --status-topic needs?`;
    return new ProgramFailure(`${message}; ${hint}`, { cause: failure, exitCode });
  }

  #connected(resumed: boolean): void {
    this.#connections += 1;
    this.#acknowledgements.connected(resumed);
    this.#subscribing.connected(resumed);
    const suspicion = this.#quarrel.connected(performance.now());
    if (suspicion !== undefined) this.#parts.talk.say(suspicion);
  }

  #online(grantedExpirySeconds: number | undefined): void {
    const { connection, statusTopic } = this.#options;
    const askedSeconds = Number(connection.properties.connect?.sessionExpiryInterval ?? 0);
    if (grantedExpirySeconds !== undefined && grantedExpirySeconds < askedSeconds) {
      const line = `the broker keeps the session for ${grantedExpirySeconds} s only, not ${askedSeconds}`;
      this.#parts.talk.say(`${line}: what comes in a longer absence is lost`);
    }
    this.#acknowledge();
    if (statusTopic !== undefined && !this.#ended) {
      publishStatus(this.#connection, statusTopic, "online", this.#parts.talk);
    }
    this.#subscribing.online();
  }

  #message(packet: PublishPacket, owed: OwedAcknowledgement | undefined, done: () => void): void {
    if (this.#ended) {
      // Not taken and not acknowledged: the session has it the next time. What follows it must be read.
      done();
      return;
    }
    this.#received += 1;
    const coming = { topic: packet.topic, payload: packet.payload as Buffer, dup: packet.dup };
    if (owed !== undefined && this.#acknowledgements.knows(coming, owed)) {
      this.#acknowledge();
      done();
      return;
    }
    const { pipeline } = this.#parts;
    const message = readMessage(packet, this.#clock.next());
    const sequence = pipeline.take(message);
    this.#settling.taken(sequence);
    if (owed !== undefined) this.#acknowledgements.taken(sequence, message, owed);
    if (pipeline.hasRoom) done();
    else this.#hold(done);
  }

  #acknowledge(): void {
    if (!this.#connection.online) return;
    const ready = this.#acknowledgements.takeReady();
    if (ready.length === 0) return;
    this.#acknowledged += ready.length;
    this.#connection.acknowledge(ready);
  }

  #hold(done: () => void): void {
    this.#held = done;
    clearInterval(this.#keepAliveTimer);
    const { keepAliveSeconds } = this.#connection;
    if (keepAliveSeconds === 0) return;
    const everyMilliseconds = (keepAliveSeconds * 1000) / 2;
    this.#keepAliveTimer = setInterval(() => this.#connection.stayAlive(), everyMilliseconds);
  }

  #subscribed(): void {
    if (!this.#options.once) return;
    void awaitSilence({
      received: () => this.#received,
      settle: () => this.#settling.settled(),
      ping: () => new Promise((resolve) => this.#connection.ping(resolve)),
    }).then(() => this.#parts.ending.succeed());
  }

  #interrupted(): void {
    const { ending } = this.#parts;
    if (this.#connection.everOnline) ending.succeed();
    else ending.fail(new ProgramFailure("interrupted before the broker answered"));
  }

  /** What the broker keeps and cannot be told any more would come again, and be there twice: it is not written now. */
  async #close(): Promise<void> {
    const { pipeline, talk } = this.#parts;
    const { statusTopic, once, connection, qos } = this.#options;
    const comesAgain = !connection.clean && qos > 0;
    this.#ended = true;
    this.release();
    const mayWrite = this.#connection.online || !comesAgain;
    if (mayWrite && this.#stdoutError === undefined) {
      const drained = pipeline.drain(drainSecondsMax);
      // To end now, all need only be safe; but who came for all that waits gives a spool its chance, too.
      await (once ? drained : Promise.race([drained, this.#settling.settled()]));
      this.#acknowledge();
    }
    if (statusTopic !== undefined && this.#connection.online) {
      publishStatus(this.#connection, statusTopic, "offline", talk);
    }
    await this.#connection.close();
    await pipeline.close();
    const unsafe = this.#settling.count;
    // Who says `| head -1` wants no more, and knows it.
    if (unsafe > 0 && this.#stdoutError !== "EPIPE") {
      const fate = comesAgain ? "and stay with the broker's session" : "and are lost";
      talk.say(`${unsafe} messages are not written ${fate}`);
    }
  }
}
