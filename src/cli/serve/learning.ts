/**
 * `tserve --learn FILE`: what clients do is appended to a file, one JSON line for each distinct thing when it is first seen, so
 * that nothing is lost at a crash. Rights stay in force. The file is its owner's alone, since topics and names are told in it.
 */
import { closeSync, fchmodSync, openSync, writeSync } from "node:fs";
import { LearningAuthorizer, type Observation } from "../../auth/index.ts";
import { type Log, TstackError } from "../../base/index.ts";
import type { Authorizer } from "../../index.ts";
import { describeCause } from "./configuration-file.ts";

export class Learning {
  readonly authorizer: Authorizer;
  readonly #file: string;
  readonly #log: Log;
  readonly #users = new Set<string | undefined>();
  #descriptor: number | undefined;
  #lines = 0;

  /** @throws TstackError LEARNING_FAILED when the file cannot be written */
  constructor(authorizer: Authorizer, file: string, log: Log) {
    this.#file = file;
    this.#log = log;
    this.#descriptor = openPrivately(file);
    this.authorizer = new LearningAuthorizer(authorizer, {
      note: (observation) => this.#note(observation),
      full: () => log.warn({ file }, "more was seen than can be learned: no more is noted"),
    });
  }

  /** For the welcome. */
  get text(): string {
    return `notes in ${this.#file} what clients do; rights stay in force, so what they refuse is noted as refused`;
  }

  #note(observation: Observation): void {
    if (this.#descriptor === undefined) return;
    try {
      writeSync(this.#descriptor, `${JSON.stringify(observation)}\n`);
      this.#lines++;
      this.#users.add(observation.user);
    } catch (error) {
      closeSync(this.#descriptor);
      this.#descriptor = undefined;
      this.#log.error({ error, file: this.#file }, "nothing more is learned: it cannot be written");
    }
  }

  /** Ends it, and says what came of it. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
    const { size } = this.#users;
    const users = `${size} ${size === 1 ? "user" : "users"}`;
    const things = `${this.#lines} ${this.#lines === 1 ? "thing" : "things"}`;
    const command = `tuser learn ${this.#file}`;
    const fields = { file: this.#file, users: size, observations: this.#lines, command };
    this.#log.info(fields, `learned ${things} of ${users}; print the rules for them: ${command}`);
  }
}

/** What its owner alone may read; @throws TstackError LEARNING_FAILED */
function openPrivately(file: string): number {
  try {
    const descriptor = openSync(file, "a", 0o600);
    fchmodSync(descriptor, 0o600);
    return descriptor;
  } catch (error) {
    throw notWritable(file, error);
  }
}

function notWritable(file: string, cause: unknown): TstackError {
  const message = `cannot write what is learned: ${describeCause(cause, file)}`;
  return new TstackError("LEARNING_FAILED", message, { cause });
}
