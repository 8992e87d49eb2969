/**
 * Where a new password comes from: stdin, a file, the environment, or a question asked twice on the terminal. Never from an
 * argument, since `ps` shows those to everyone. It is never printed.
 */
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { describeSystemError, ProgramFailure, UsageError } from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";

const exitCodeInterrupted = 130;

export interface PasswordArguments {
  readonly passwordStdin?: boolean;
  readonly passwordFile?: string;
  /** False for `--no-password`. */
  readonly password?: boolean | string;
}

/** Undefined for `--no-password`. @throws UsageError @throws ProgramFailure */
export async function readNewPassword(
  { passwordStdin, passwordFile, password }: PasswordArguments,
  io: ProgramIo,
): Promise<string | undefined> {
  const ways = [passwordStdin === true, passwordFile !== undefined, password === false];
  if (ways.filter(Boolean).length > 1) {
    throw new UsageError("--password-stdin, --password-file and --no-password exclude each other");
  }
  if (password === false) return undefined;
  if (passwordFile !== undefined) return check(await readPasswordFile(passwordFile));
  if (passwordStdin) return check(await text(io.stdin));
  if (io.environment.TSTACK_NEW_PASSWORD) return check(io.environment.TSTACK_NEW_PASSWORD);
  return check(await askTwice(io));
}

async function readPasswordFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const message = `--password-file ${file}: ${describeSystemError(error as Error)}`;
    throw new ProgramFailure(message, { cause: error });
  }
}

async function askTwice(io: ProgramIo): Promise<string> {
  let password: string;
  let again: string;
  try {
    password = await io.askSecret("New password: ");
    again = await io.askSecret("Again: ");
  } catch (error) {
    if ((error as Error).message === "interrupted") {
      throw new ProgramFailure("interrupted", { cause: error, exitCode: exitCodeInterrupted });
    }
    throw new ProgramFailure(
      "no password: there is no terminal to ask on; give --password-stdin, --password-file FILE or TSTACK_NEW_PASSWORD",
      { cause: error },
    );
  }
  if (password !== again) throw new ProgramFailure("the passwords are not the same; try again");
  return password;
}

/** A line feed at the end is not part of it: editors and `echo` put it there. */
function check(given: string): string {
  const password = given.replace(/\r?\n$/, "");
  if (password === "") throw new ProgramFailure("the password is empty, and would let nobody in");
  if (password.includes("\n")) throw new ProgramFailure("give one password, on one line");
  return password;
}
