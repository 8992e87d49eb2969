/** `tserve hash-password`: a password from the terminal or from stdin, and its hash on stdout. Echoes and keeps nothing. */
import { text } from "node:stream/consumers";
import { hashPassword } from "../../auth/index.ts";
import type { ProgramIo } from "../program-io.ts";

export async function printPasswordHash(io: ProgramIo): Promise<number> {
  const isTerminal = "isTTY" in io.stdin && io.stdin.isTTY === true;
  let password: string | undefined;
  try {
    password = isTerminal ? await askTwice(io) : (await text(io.stdin)).replace(/\r?\n$/, "");
  } catch (error) {
    return refuse(io, `no password, ${(error as Error).message}`);
  }
  if (password === undefined) return refuse(io, "the passwords are not the same; try again");
  if (password === "") return refuse(io, "an empty password lets nobody in; give one");
  if (password.includes("\n")) return refuse(io, "give one password, on one line");
  io.stdout.write(`${await hashPassword(password)}\n`);
  return 0;
}

async function askTwice(io: ProgramIo): Promise<string | undefined> {
  const password = await io.askSecret("Password: ");
  return password === (await io.askSecret("Again: ")) ? password : undefined;
}

function refuse(io: ProgramIo, message: string): number {
  io.stderr.write(`tserve: ${message}\n`);
  return 1;
}
