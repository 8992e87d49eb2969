import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { pino } from "pino";
import type { ProgramIo } from "../program-io.ts";
import { watchForEnd } from "./ending.ts";

test("ending: the first signal asks, the second one leaves no time", async () => {
  let signal: ((name: "SIGTERM") => void) | undefined;
  const stream = new PassThrough();
  const io: ProgramIo = {
    stdin: stream,
    stdout: stream,
    stderr: stream,
    environment: {},
    askSecret: () => Promise.reject(new Error("no terminal")),
    onInterrupt(callback) {
      signal = callback;
      return () => {
        signal = undefined;
      };
    },
  };
  const listeners = process.listenerCount("uncaughtException");
  const ending = watchForEnd(io, pino(stream));
  assert.equal(process.listenerCount("uncaughtException"), listeners + 1);
  let forced: number | undefined;
  const forcing = ending.forced.then((exitCode) => {
    forced = exitCode;
  });
  signal?.("SIGTERM");
  await ending.asked;
  assert.equal(forced, undefined);
  signal?.("SIGTERM");
  await forcing;
  assert.equal(forced, 130);
  ending.stopWatching();
  assert.equal(signal, undefined);
  assert.equal(process.listenerCount("uncaughtException"), listeners);
});
