/**
 * Subscribes, prints what comes, and ends when it has what it was asked for. A message is acknowledged
 * after it was handed to stdout, and one that comes after the end is neither printed nor acknowledged:
 * a kept session has it the next time.
 */

import { matchesFilter } from "../../topics/index.ts";
import {
  type ConnackPacket,
  Connection,
  describeRefusals,
  describeSystemError,
  Ending,
  ProgramFailure,
  type PublishPacket,
  runToEnd,
  type SubscribeOutcome,
  type Talk,
} from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import type { Printer } from "./format.ts";
import type { SubscribeOptions } from "./options.ts";
import { Output } from "./output.ts";

const removalSecondsMax = 5;
const emptyPayload = Buffer.alloc(0);

export class Subscriber {
  readonly #options: SubscribeOptions;
  readonly #io: ProgramIo;
  readonly #talk: Talk;
  readonly #print: Printer;
  readonly #output: Output;
  readonly #ending = new Ending();
  readonly #connection: Connection;
  #ended = false;
  #printed = 0;
  #received = 0;
  #removalsUnderWay = 0;
  /** Topics whose deletion has not come back yet as a message. */
  readonly #removedTopics = new Set<string>();
  #removalsDone: (() => void) | undefined;
  #outputFailure: ProgramFailure | undefined;
  /** Acknowledges the message whose line made stdout congested. */
  #held: (() => void) | undefined;
  #subscribed = false;
  /** Whether a PINGREQ of `endWithRetained` is under way. */
  #asking = false;

  constructor(options: SubscribeOptions, io: ProgramIo, printing: { print: Printer; talk: Talk }) {
    this.#options = options;
    this.#io = io;
    this.#talk = printing.talk;
    this.#print = printing.print;
    this.#output = new Output(io.stdout);
    this.#connection = new Connection(
      options.connection,
      {
        online: (connack) => this.#online(connack),
        message: (packet, done) => this.#message(packet, done),
        failed: (failure) => this.#ending.fail(failure),
      },
      printing.talk,
    );
  }

  /** The exit code. @throws {ProgramFailure} */
  run(): Promise<number> {
    const broken = (error: NodeJS.ErrnoException) => this.#endOutput(error);
    const drained = () => this.#release();
    this.#io.stdout.on("error", broken);
    this.#io.stdout.on("drain", drained);
    return runToEnd({
      io: this.#io,
      ending: this.#ending,
      timeOutSeconds: this.#options.connection.timeOutSeconds,
      start: () => this.#connection.open(),
      interrupted: () => this.#interrupted(),
      close: async () => {
        this.#ended = true;
        await this.#awaitRemovals();
        await this.#connection.close();
        await this.#output.end();
        this.#io.stdout.off("drain", drained);
        this.#io.stdout.off("error", broken);
        if (this.#outputFailure !== undefined) throw this.#outputFailure;
      },
    });
  }

  #online(connack: ConnackPacket): void {
    this.#asking = false;
    if (this.#subscribed && connack.sessionPresent) return;
    const { topics, unsubscribeTopics, qos, retainAsPublished } = this.#options;
    let answersMissing = Number(topics.length > 0) + Number(unsubscribeTopics.length > 0);
    const answered = () => {
      answersMissing -= 1;
      if (answersMissing > 0) return;
      this.#subscribed = true;
      this.#talk.debug("subscribed");
      if (!this.#options.exitAfterSubscribe) return;
      if (this.#options.retained === "only") this.#endWithRetained();
      else this.#end();
    };
    if (topics.length > 0) {
      this.#connection.subscribe(topics, { qos, rap: retainAsPublished }, (outcome) => {
        if (this.#checkGrants(outcome)) answered();
      });
    }
    if (unsubscribeTopics.length > 0) this.#connection.unsubscribe(unsubscribeTopics, answered);
  }

  /** Tells each refusal; returns whether anything is left to wait for. */
  #checkGrants(outcome: SubscribeOutcome): boolean {
    const { topics, connection } = this.#options;
    const refusals = describeRefusals(topics, outcome, connection.protocolVersion);
    const allRefused = refusals.length === topics.length;
    const last = allRefused ? refusals.pop() : undefined;
    for (const refusal of refusals) this.#talk.say(refusal);
    if (last !== undefined) this.#ending.fail(new ProgramFailure(last));
    return !allRefused;
  }

  #message(packet: PublishPacket, done: () => void): void {
    if (this.#ended) {
      // The answers to removals come in line with the messages: these must pass, or those never come.
      if (this.#removalsUnderWay > 0) done();
      return;
    }
    this.#received += 1;
    const { retained, messageCount } = this.#options;
    if (this.#isEcho(packet)) {
      done();
      if (retained === "only") this.#endWithRetained();
      return;
    }
    if (retained === "only" && !packet.retain) {
      done();
      this.#end();
      return;
    }
    if (!this.#isWanted(packet)) {
      done();
      return;
    }
    this.#print(packet, this.#output);
    this.#printed += 1;
    if (this.#printed !== messageCount && this.#output.congested) {
      this.#held = done;
      return;
    }
    done();
    if (this.#printed === messageCount) this.#end();
  }

  /** Whether to print it. What is only hidden is removed all the same; what is filtered out is left alone. */
  #isWanted({ topic, retain }: PublishPacket): boolean {
    const { retained, filterOutTopics, removeRetained } = this.#options;
    if (filterOutTopics.some((filter) => matchesFilter(filter, topic))) return false;
    if (removeRetained && retain) this.#remove(topic);
    return !(retained === "none" && retain);
  }

  /** Whether it is the deletion of a retained message that this program has sent itself. */
  #isEcho({ topic, payload, retain }: PublishPacket): boolean {
    return !retain && payload.length === 0 && this.#removedTopics.delete(topic);
  }

  /** stdout takes more: so may the broker send more. */
  #release(): void {
    const held = this.#held;
    this.#held = undefined;
    if (!this.#ended) held?.();
  }

  #remove(topic: string): void {
    this.#removalsUnderWay += 1;
    this.#removedTopics.add(topic);
    const message = { topic, payload: emptyPayload };
    this.#connection.publish(message, { qos: 1, retain: true }, (failure) => {
      if (failure !== undefined) this.#talk.say(failure.message);
      this.#removalsUnderWay -= 1;
      if (this.#removalsUnderWay === 0) this.#removalsDone?.();
    });
  }

  async #awaitRemovals(): Promise<void> {
    if (this.#removalsUnderWay === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#removalsDone = resolve;
    const timer = setTimeout(resolve, removalSecondsMax * 1000);
    await promise;
    clearTimeout(timer);
  }

  /**
   * Retained messages follow the SUBACK, and brokers answer a PINGREQ after them. Where they come in
   * portions, each portion is followed by another question, until one brings nothing.
   */
  #endWithRetained(): void {
    if (this.#asking) return;
    this.#asking = true;
    const before = this.#received;
    this.#connection.ping(() => {
      this.#asking = false;
      if (this.#received === before) this.#end();
      else this.#endWithRetained();
    });
  }

  /** The reader of a pipe has what it wanted; a disk that is full has lost messages. */
  #endOutput(error: NodeJS.ErrnoException): void {
    if (error.code === "EPIPE") {
      this.#end();
      return;
    }
    this.#ended = true;
    this.#outputFailure ??= new ProgramFailure(
      `what came could not be written to stdout: ${describeSystemError(error)}`,
      { cause: error },
    );
    this.#ending.fail(this.#outputFailure);
  }

  #end(): void {
    this.#ended = true;
    this.#ending.succeed();
  }

  #interrupted(): void {
    if (this.#connection.everOnline) this.#end();
    else this.#ending.fail(new ProgramFailure("interrupted before the broker answered"));
  }
}
