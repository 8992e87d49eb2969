/**
 * `--dry-run`: prints what would become of each message, and writes nothing. It has a session of its own that ends with
 * it: nothing is taken away from the real consumer.
 */
import {
  Connection,
  describeEndpoint,
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
import { ArrivalClock } from "./arrival-clock.ts";
import { readMessage } from "./consumed-message.ts";
import { explainMessage } from "./explain.ts";
import type { ConsumeOptions } from "./options.ts";
import { awaitSilence } from "./silence.ts";

export class DryRun {
  readonly #options: ConsumeOptions;
  readonly #io: ProgramIo;
  readonly #talk: Talk;
  readonly #connection: Connection;
  readonly #ending = new Ending();
  readonly #clock = new ArrivalClock();
  #received = 0;
  #ended = false;
  /** Acknowledges the message whose text made stdout congested. */
  #held: (() => void) | undefined;

  constructor(options: ConsumeOptions, io: ProgramIo, talk: Talk) {
    this.#options = options;
    this.#io = io;
    this.#talk = talk;
    this.#connection = new Connection(
      options.connection,
      {
        online: () => this.#online(),
        message: (packet, done) => this.#message(packet, done),
        failed: (failure) => this.#ending.fail(failure),
      },
      talk,
    );
  }

  /** The exit code. @throws {ProgramFailure} */
  run(): Promise<number> {
    const { stdout } = this.#io;
    const broken = (error: NodeJS.ErrnoException) => this.#endOutput(error);
    const drained = () => this.#release();
    stdout.on("error", broken).on("drain", drained);
    return runToEnd({
      io: this.#io,
      ending: this.#ending,
      timeOutSeconds: this.#options.connection.timeOutSeconds,
      start: () => this.#connection.open(),
      interrupted: () => this.#ending.succeed(),
      close: async () => {
        this.#ended = true;
        await this.#connection.close();
        stdout.off("error", broken).off("drain", drained);
      },
    });
  }

  #online(): void {
    const { topics, qos } = this.#options;
    this.#connection.subscribe(topics, { qos }, (outcome) => this.#subscribed(outcome));
  }

  #subscribed(outcome: SubscribeOutcome): void {
    const { topics, connection, once } = this.#options;
    const refusals = describeRefusals(topics, outcome, connection.protocolVersion);
    if (refusals.length === topics.length) {
      this.#ending.fail(new ProgramFailure(refusals.join("; ")));
      return;
    }
    for (const refusal of refusals) this.#talk.say(refusal);
    const where = describeEndpoint(connection.endpoint);
    this.#talk.say(`consumes ${topics.join(", ")} from ${where}, and writes nothing`);
    if (!once) return;
    void awaitSilence({
      received: () => this.#received,
      settle: async () => undefined,
      ping: () => new Promise((resolve) => this.#connection.ping(resolve)),
    }).then(() => this.#ending.succeed());
  }

  #message(packet: PublishPacket, done: () => void): void {
    if (this.#ended) return;
    this.#received += 1;
    const message = readMessage(packet, this.#clock.next());
    const { text } = explainMessage(message, this.#options.course);
    if (this.#io.stdout.write(`${text}\n`)) done();
    else this.#held = done;
  }

  #release(): void {
    const held = this.#held;
    this.#held = undefined;
    held?.();
  }

  #endOutput(error: NodeJS.ErrnoException): void {
    this.#ended = true;
    if (error.code === "EPIPE") this.#ending.succeed();
    else {
      const reason = `stdout: ${describeSystemError(error)}`;
      this.#ending.fail(new ProgramFailure(reason, { cause: error }));
    }
  }
}
