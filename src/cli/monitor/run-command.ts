/**
 * Runs a program that tells figures, never through a shell: within a time and a length of its output, both of which end it with
 * all that it has started. What it says on stderr is not read but for its first words, where it failed.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { describeSystemError } from "../client/index.ts";

export interface CommandBounds {
  readonly secondsMax: number;
  readonly bytesMax: number;
  /** Ends it, when the program ends. */
  readonly signal: AbortSignal;
}

const talkCharactersMax = 200;

/** What it has printed. Rejects, in words for people, where it fails, takes too long or prints too much. */
export async function runCommand(
  words: readonly string[],
  { secondsMax, bytesMax, signal: ending }: CommandBounds,
): Promise<string> {
  if (ending.aborted) throw new Error("interrupted");
  const [program, ...args] = words;
  // A process group of its own, which can be ended as a whole; Windows has none.
  const detached = process.platform !== "win32";
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], detached });
  const outcome = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  let talk = "";
  const fail = (reason: string) => {
    outcome.reject(new Error(reason));
    endWithAll(child, detached);
  };
  const timer = setTimeout(() => fail(`takes more than ${secondsMax} s`), secondsMax * 1000);
  const interrupted = () => fail("interrupted");
  ending.addEventListener("abort", interrupted, { once: true });
  child.stdout.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > bytesMax) fail(`prints more than ${bytesMax} bytes`);
    else chunks.push(chunk);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    if (talk.length < talkCharactersMax) talk += text.slice(0, talkCharactersMax);
  });
  child.on("error", (error) => outcome.reject(new Error(describeSystemError(error))));
  child.on("close", (code, signal) => {
    if (code === 0) outcome.resolve(Buffer.concat(chunks).toString());
    else outcome.reject(new Error(`ended with ${signal ?? code}${quoteTalk(talk)}`));
  });
  try {
    return await outcome.promise;
  } finally {
    clearTimeout(timer);
    ending.removeEventListener("abort", interrupted);
  }
}

/** What it has started may hold its output open, and run for ever. */
function endWithAll(child: ChildProcess, detached: boolean): void {
  child.stdout?.destroy();
  child.stderr?.destroy();
  if (child.pid === undefined) return;
  try {
    if (detached) process.kill(-child.pid, "SIGKILL");
    else child.kill("SIGKILL");
  } catch {
    child.kill("SIGKILL"); // the group is gone already
  }
}

function quoteTalk(talk: string): string {
  const line = talk.trim().split("\n", 1)[0];
  return line === "" ? "" : `: ${JSON.stringify(line)}`;
}
