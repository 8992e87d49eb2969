/**
 * The frame around a client program: one promise of its end, which signals, a time-out and failures
 * can bring about, and one place that turns failures into a line on stderr and an exit code.
 */
import type { ProgramIo } from "../program-io.ts";
import { exitCodeTimeOut, ProgramFailure, UsageError } from "./failure.ts";
import type { Talk } from "./talk.ts";

const exitCodeForced = 130;

/** The end of a program, once. Later ends are ignored. */
export class Ending {
  readonly #end = Promise.withResolvers<number>();

  /** Resolves with the exit code, rejects with a `ProgramFailure`. */
  get reached(): Promise<number> {
    return this.#end.promise;
  }

  succeed(exitCode = 0): void {
    this.#end.resolve(exitCode);
  }

  fail(failure: ProgramFailure): void {
    this.#end.reject(failure);
  }
}

interface Course {
  readonly io: ProgramIo;
  readonly ending: Ending;
  readonly timeOutSeconds: number | undefined;
  /** Starts the work, which ends by `ending`. */
  start(): void;
  /** At the first Ctrl-C or SIGTERM. */
  interrupted(): void;
  /** Runs once the end is reached, whatever it is; a second Ctrl-C does not wait for it. */
  close(): Promise<void>;
}

/** Runs from start to end. @throws {ProgramFailure} */
export async function runToEnd(course: Course): Promise<number> {
  const { ending, timeOutSeconds } = course;
  const forced = Promise.withResolvers<number>();
  let interrupts = 0;
  const offInterrupt = course.io.onInterrupt(() => {
    interrupts += 1;
    if (interrupts === 1) course.interrupted();
    else forced.resolve(exitCodeForced);
  });
  const timer =
    timeOutSeconds === undefined
      ? undefined
      : setTimeout(
          () => ending.fail(new ProgramFailure("timed out", { exitCode: exitCodeTimeOut })),
          timeOutSeconds * 1000,
        );
  try {
    course.start();
    return await Promise.race([closeAtEnd(course), forced.promise]);
  } finally {
    clearTimeout(timer);
    offInterrupt();
  }
}

async function closeAtEnd(course: Course): Promise<number> {
  try {
    return await course.ending.reached;
  } finally {
    // A failure to close is told only where there is no earlier one.
    await course.close();
  }
}

/** The exit code of `body`; what it throws becomes a line on stderr. */
export async function reportFailures(
  programName: string,
  io: ProgramIo,
  body: () => Promise<number>,
): Promise<number> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof UsageError) {
      io.stderr.write(`${programName}: ${error.message} (see ${programName} --help)\n`);
    } else if (error instanceof ProgramFailure) {
      io.stderr.write(`${programName}: ${error.message}\n`);
    } else {
      throw error;
    }
    return error.exitCode;
  }
}

/** Lets a failure pass in silence: `--quiet`. */
export async function quietly(talk: Talk, body: () => Promise<number>): Promise<number> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof ProgramFailure) || error instanceof UsageError) throw error;
    talk.say(error.message);
    return error.exitCode;
  }
}
